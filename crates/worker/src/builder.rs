//! Puts a worker together and refuses what cannot work before anything starts.

#[cfg(target_os = "linux")]
mod children;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::Broker;
use cardoon_core::QueueName;
use cardoon_core::lease::LeaseTerms;
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::Limits;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;

use crate::{Isolation, States, TaskDefinition, Worker};

/// How long a draining worker waits for its running tasks: 25 s, under Kubernetes' 30 s.
pub const DEFAULT_GRACE: Duration = Duration::from_secs(25);

/// How long a child process may take to be ready: 30 s. A machine under load may need seconds.
pub const DEFAULT_CHILD_START: Duration = Duration::from_secs(30);

/// How long deliveries wait behind busy slots before they are handed back for idle workers.
const DEFAULT_RECALL: Duration = Duration::from_millis(100);

/// Everything that makes a worker. All but the stores and the tasks has defaults.
#[must_use]
pub struct WorkerBuilder {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) results: Arc<dyn ResultBackend>,
    pub(crate) joined: bool,
    pub(crate) name: String,
    pub(crate) queues: Vec<QueueName>,
    pub(crate) concurrency: u32,
    pub(crate) autoscale: Option<(usize, usize)>,
    pub(crate) tasks: Vec<TaskDefinition>,
    pub(crate) states: States,
    pub(crate) terms: LeaseTerms,
    pub(crate) grace: Duration,
    pub(crate) recall: Duration,
    pub(crate) child_start: Duration,
    pub(crate) limits: Limits,
    pub(crate) events: bool,
    pub(crate) clock: Clock,
    #[cfg(target_os = "linux")]
    pub(crate) children: children::Slot,
}

impl WorkerBuilder {
    /// `joined`: broker and results are one store, which takes a verdict and its result in one step.
    pub fn new(broker: Arc<dyn Broker>, results: Arc<dyn ResultBackend>, joined: bool) -> Self {
        Self {
            broker,
            results,
            joined,
            name: default_name(),
            queues: Vec::new(),
            concurrency: default_concurrency(),
            autoscale: None,
            tasks: Vec::new(),
            states: States::default(),
            terms: LeaseTerms::default(),
            grace: DEFAULT_GRACE,
            recall: DEFAULT_RECALL,
            child_start: DEFAULT_CHILD_START,
            limits: Limits::default(),
            events: false,
            clock: Clock::real(),
            #[cfg(target_os = "linux")]
            children: children::Slot::default(),
        }
    }

    /// The worker's name, for people: `worker-PID` by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The queues to take from, in turn. By default those of its tasks' options, and `celery`.
    pub fn queues(mut self, queues: impl IntoIterator<Item = QueueName>) -> Self {
        self.queues = queues.into_iter().collect();
        self
    }

    /// How many tasks are executed at once, at least 1: as many as there are processors by default.
    pub fn concurrency(mut self, slots: u32) -> Self {
        self.concurrency = slots.max(1);
        self
    }

    /// Lets the number of slots follow the load, between `least` and `most`: it grows when all slots are busy for a second,
    /// and shrinks when one is free for half a minute.
    pub fn autoscale(mut self, least: u32, most: u32) -> Self {
        self.concurrency = least.max(1);
        self.autoscale = Some((least as usize, most as usize));
        self
    }

    pub fn task(mut self, task: TaskDefinition) -> Self {
        self.tasks.push(task);
        self
    }

    pub fn tasks(mut self, tasks: impl IntoIterator<Item = TaskDefinition>) -> Self {
        self.tasks.extend(tasks);
        self
    }

    /// Limits of the tasks that have been added and say none themselves.
    pub fn default_limits(mut self, soft: Option<Duration>, hard: Option<Duration>) -> Self {
        for options in self.tasks.iter_mut().map(|task| &mut task.options) {
            options.soft_time_limit = options.soft_time_limit.or(soft);
            options.time_limit = options.time_limit.or(hard);
        }
        self
    }

    /// Gives all tasks a value; one of the same type is replaced.
    pub fn state<T: Send + Sync + 'static>(mut self, state: T) -> Self {
        self.states.insert(state);
        self
    }

    /// Replaces all states.
    pub fn states(mut self, states: States) -> Self {
        self.states = states;
        self
    }

    /// How long leases live and how often they are renewed: 15 s and 3 s by default. A heartbeat that is zero or more than
    /// a third of the lease is refused by [`Self::build`] (`CD4002`).
    pub fn terms(mut self, terms: LeaseTerms) -> Self {
        self.terms = terms;
        self
    }

    /// How long a draining worker waits for its running tasks: [`DEFAULT_GRACE`] by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// How long a delivery waits behind busy slots before it is handed back for idle workers: 100 ms by default.
    pub fn recall(mut self, recall: Duration) -> Self {
        self.recall = recall;
        self
    }

    /// How long a child process for an isolated task may take to be ready, and then to begin with a task:
    /// [`DEFAULT_CHILD_START`] by default. One that takes longer is killed, and its task is put off, which is no attempt
    /// and no death; the third time it fails with the kind `NotStarted`.
    pub fn child_start(mut self, limit: Duration) -> Self {
        self.child_start = limit;
        self
    }

    /// What messages and return values may be.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Publishes events even if nobody listens.
    pub fn events(mut self, events: bool) -> Self {
        self.events = events;
        self
    }

    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Checks everything that can be checked without the store.
    pub fn build(mut self) -> Result<Worker> {
        if self.queues.is_empty() {
            self.queues = self.default_queues();
        }
        let tasks = self.registry()?;
        self.check_states()?;
        self.check_terms()?;
        self.check_isolation()?;
        self.check_capabilities()?;
        Ok(Worker::new(self, tasks))
    }

    fn default_queues(&self) -> Vec<QueueName> {
        let mut queues = vec![QueueName::default()];
        for queue in self.tasks.iter().filter_map(|task| task.options.queue.as_ref()) {
            if !queues.contains(queue) {
                queues.push(queue.clone());
            }
        }
        queues
    }

    fn registry(&self) -> Result<HashMap<String, TaskDefinition>> {
        if self.tasks.is_empty() {
            return Err(Error::new(Code::NoTasks, "the worker has no tasks")
                .hint("register tasks before the worker is built"));
        }
        let mut registry = HashMap::with_capacity(self.tasks.len());
        for task in &self.tasks {
            if registry.insert(task.name.clone(), task.clone()).is_some() {
                return Err(Error::new(Code::DuplicateTask, format!("two tasks are named {}", task.name))
                    .hint("give one of them another name"));
            }
        }
        Ok(registry)
    }

    fn check_states(&self) -> Result<()> {
        for task in &self.tasks {
            if let Some(need) = task.states.iter().find(|need| !self.states.has(need)) {
                let message = format!("task {} needs the state {}", task.name, need.name);
                return Err(Error::new(Code::StateMissing, message)
                    .hint("give it to the worker's builder with .state(…)"));
            }
        }
        Ok(())
    }

    fn check_terms(&self) -> Result<()> {
        let LeaseTerms { lease, heartbeat } = self.terms;
        if self.terms.are_sound() {
            return Ok(());
        }
        let message =
            format!("worker.heartbeat is {heartbeat:?}, which is zero or more than a third of worker.lease");
        Err(Error::new(Code::BadSetting, message)
            .checked(format!("worker.lease: {lease:?}"))
            .hint("raise the lease or lower the heartbeat"))
    }

    fn check_isolation(&self) -> Result<()> {
        let isolated = self.tasks.iter().find(|task| task.options.isolate == Isolation::Process);
        match isolated {
            Some(task) if !cfg!(unix) => {
                let message = format!("task {} asks for a process of its own", task.name);
                Err(Error::new(Code::NoIsolation, message)
                    .hint("run it on Linux or macOS, or without isolation"))
            }
            _ => Ok(()),
        }
    }

    fn check_capabilities(&self) -> Result<()> {
        let can = self.broker.capabilities();
        let refuse =
            |what: String| Err(Error::new(Code::Unsupported, what).checked(format!("broker: {}", can.name)));
        if self.joined && !can.atomic_settle {
            return refuse("the broker cannot store a verdict and its result in one step".into());
        }
        let prioritized = self.tasks.iter().find(|task| task.options.priority.is_some());
        match prioritized {
            Some(task) if can.priorities <= 1 => {
                refuse(format!("task {} has a priority, and the broker has none", task.name))
            }
            _ => Ok(()),
        }
    }
}

fn default_name() -> String {
    format!("worker-{}", std::process::id())
}

fn default_concurrency() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| count.get() as u32)
}
