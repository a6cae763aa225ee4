use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use cardoon_core::lease::LeaseTerms;
use cardoon_core::{IdError, QueueName, RetryPolicy};
use cardoon_errors::{Code, Error, Result};
use cardoon_settings::{Ack, Settings};
use cardoon_worker::{AckMode, TaskDefinition, TaskOptions, WorkerExit, WorkerHandle};

use crate::signals::Signals;
use crate::task::definition_over;
use crate::{App, Task, builtin};

/// A worker that is ready to run; see [`Worker::builder`].
pub struct Worker(cardoon_worker::Worker);

/// Puts a [`Worker`] together.
#[must_use = "run the worker with `run` or `run_until`"]
pub struct WorkerBuilder {
    inner: cardoon_worker::WorkerBuilder,
    /// What the settings say of tasks that do not say it themselves.
    defaults: TaskOptions,
    broken: Option<Error>,
}

impl Worker {
    /// Sets out to build a worker on the stores of `app`. It works as the app's [settings](crate::App::settings) say: the
    /// sections `[worker]` and `[retry]` of `cardoon.toml`, and the variables `CARDOON_WORKER__…` and
    /// `CARDOON_RETRY__…`. The builder's own methods go before them, and so do the options of a task.
    pub fn builder(app: &App) -> WorkerBuilder {
        let stores = app.stores();
        let inner =
            cardoon_worker::Worker::builder(stores.broker.clone(), stores.results.clone(), stores.joined);
        let inner = inner.clock(app.clock().clone()).limits(*app.limits());
        let defaults = task_defaults(app.settings());
        WorkerBuilder { inner, defaults, broken: None }.configured(app.settings())
    }

    /// Runs until SIGINT or SIGTERM (on Windows: Ctrl-C). After the first one the worker drains: it takes nothing new,
    /// hands back what has not begun, and waits for running tasks up to its grace time. After the second one it hands
    /// back everything at once, and running tasks run again elsewhere.
    ///
    /// [`WorkerExit::SlotsLost`] means that too many tasks ignore their time limits: end the process and start another.
    pub async fn run(self) -> Result<WorkerExit> {
        let handle = self.handle();
        let mut signals = Signals::catch()?;
        let orders = async {
            signals.next().await;
            tracing::info!("draining; a second signal stops at once");
            handle.drain();
            signals.next().await;
            tracing::info!("stopping at once");
            handle.stop();
        };
        until_ended(self.0.run(), orders).await
    }

    /// Runs until `shutdown` is over, then drains. Signals are left to the program.
    pub async fn run_until(self, shutdown: impl Future) -> Result<WorkerExit> {
        let handle = self.handle();
        let orders = async {
            shutdown.await;
            handle.drain();
        };
        until_ended(self.0.run(), orders).await
    }

    /// Tells the worker to drain or to stop, from anywhere.
    pub fn handle(&self) -> WorkerHandle {
        self.0.handle()
    }
}

/// Carries `orders` out beside `run`, and answers when `run` has ended.
async fn until_ended(
    run: impl Future<Output = Result<WorkerExit>>,
    orders: impl Future<Output = ()>,
) -> Result<WorkerExit> {
    let mut run: Pin<Box<dyn Future<Output = _>>> = Box::pin(run);
    let orders = pin!(orders);
    tokio::select! {
        exit = &mut run => return exit,
        () = orders => {}
    }
    run.await
}

/// What `settings` say of tasks.
fn task_defaults(settings: &Settings) -> TaskOptions {
    let (worker, retry) = (&settings.worker, &settings.retry);
    TaskOptions {
        soft_time_limit: worker.soft_time_limit,
        time_limit: worker.time_limit,
        ack: match worker.ack {
            Ack::Late => AckMode::Late,
            Ack::Early => AckMode::Early,
        },
        retry: RetryPolicy {
            max_retries: retry.max,
            base: retry.base,
            cap: retry.cap,
            jitter: retry.jitter,
            ..RetryPolicy::default()
        },
        ..TaskOptions::default()
    }
}

impl WorkerBuilder {
    /// Takes over what `settings` say of the worker itself.
    fn configured(mut self, settings: &Settings) -> Self {
        let it = &settings.worker;
        let terms = LeaseTerms { lease: it.lease, heartbeat: it.heartbeat };
        self.inner = self.inner.terms(terms).grace(it.grace).events(it.events);
        if let Some(slots) = it.concurrency {
            self = self.concurrency(slots.get());
        }
        if let Some(name) = &it.name {
            self = self.name(name);
        }
        if settings.is_set("worker.queues") { self.queues(&it.queues) } else { self }
    }

    /// Adds a task, by the type that stands beside its function: `.task::<add>()`.
    pub fn task<T: Task>(mut self) -> Self {
        self.inner = self.inner.task(definition_over::<T>(&self.defaults));
        self
    }

    /// Adds a task that was defined in another way. It says itself how it is retried and acknowledged; the settings add
    /// no more than the time limits that it leaves open.
    pub fn definition(mut self, mut definition: TaskDefinition) -> Self {
        let options = &mut definition.options;
        options.soft_time_limit = options.soft_time_limit.or(self.defaults.soft_time_limit);
        options.time_limit = options.time_limit.or(self.defaults.time_limit);
        self.inner = self.inner.task(definition);
        self
    }

    /// Adds the tasks of [`builtin`], for drills and benchmarks.
    pub fn builtins(mut self) -> Self {
        self.inner = self.inner.tasks(builtin::all_over(&self.defaults));
        self
    }

    /// Gives all tasks a value, which they take as [`State<T>`](crate::State); one of the same type is replaced.
    pub fn state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.inner = self.inner.state(state);
        self
    }

    /// How many tasks are executed at once, at least 1. By default what the setting
    /// `worker.concurrency` says, else as many as there are processors.
    pub fn concurrency(mut self, slots: u32) -> Self {
        self.inner = self.inner.concurrency(slots);
        self
    }

    /// The queues to take from, in turn, so that none starves. By default those of the setting
    /// `worker.queues`, else those of the tasks' options, and `celery`.
    pub fn queues<Q: Into<String>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        let queues: Result<Vec<_>, IdError> =
            queues.into_iter().map(|queue| QueueName::new(queue.into())).collect();
        match queues {
            Ok(queues) => self.inner = self.inner.queues(queues),
            Err(error) => {
                let message = format!("the worker's queues cannot be used: {error}");
                self.broken = Some(Error::new(Code::BadName, message));
            }
        }
        self
    }

    /// The worker's name, for people. By default the setting `worker.name`, else one of its process id.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.inner = self.inner.name(name);
        self
    }

    /// How long a draining worker waits for its running tasks. By default the setting `worker.grace`: 25 s.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.inner = self.inner.grace(grace);
        self
    }

    /// How long leases live and how often they are renewed. By default the settings `worker.lease` and
    /// `worker.heartbeat`: 15 s and 3 s. The heartbeat is at most a third of the lease.
    pub fn terms(mut self, terms: LeaseTerms) -> Self {
        self.inner = self.inner.terms(terms);
        self
    }

    /// Publishes events even if nobody listens. By default what the setting `worker.events` says: no.
    pub fn events(mut self, events: bool) -> Self {
        self.inner = self.inner.events(events);
        self
    }

    /// Changes what this builder has no method for.
    pub fn with(
        mut self,
        change: impl FnOnce(cardoon_worker::WorkerBuilder) -> cardoon_worker::WorkerBuilder,
    ) -> Self {
        self.inner = change(self.inner);
        self
    }

    /// Changes what this builder has no method for, if that is possible.
    pub fn try_with(
        mut self,
        change: impl FnOnce(cardoon_worker::WorkerBuilder) -> Result<cardoon_worker::WorkerBuilder>,
    ) -> Result<Self> {
        self.inner = change(self.inner)?;
        Ok(self)
    }

    /// Checks everything that can be checked without the store.
    ///
    /// Errors: `CD2005` for a queue name that cannot be one, `CD3006` if a task takes a state that was not given,
    /// `CD3008` if two tasks have one name, `CD3009` if there is none, `CD3010` if a task asks for a process of its own
    /// where that is not possible, `CD4002` if the heartbeat is zero or more than a third of the lease.
    pub fn build(self) -> Result<Worker> {
        match self.broken {
            Some(error) => Err(error),
            None => self.inner.build().map(Worker),
        }
    }

    /// Builds the worker and runs it until a signal; see [`Worker::run`].
    pub async fn run(self) -> Result<WorkerExit> {
        self.build()?.run().await
    }

    /// Builds the worker and runs it until `shutdown` is over; see [`Worker::run_until`].
    pub async fn run_until(self, shutdown: impl Future) -> Result<WorkerExit> {
        self.build()?.run_until(shutdown).await
    }
}
