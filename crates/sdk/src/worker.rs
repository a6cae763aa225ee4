use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use cardoon_core::lease::LeaseTerms;
use cardoon_core::{IdError, QueueName};
use cardoon_errors::{Code, Error, Result};
use cardoon_worker::{TaskDefinition, WorkerExit, WorkerHandle};

use crate::signals::Signals;
use crate::{App, Task, builtin};

/// A worker that is ready to run; see [`Worker::builder`].
pub struct Worker(cardoon_worker::Worker);

/// Puts a [`Worker`] together.
#[must_use = "run the worker with `run` or `run_until`"]
pub struct WorkerBuilder {
    inner: cardoon_worker::WorkerBuilder,
    broken: Option<Error>,
}

impl Worker {
    /// Sets out to build a worker on the stores of `app`.
    pub fn builder(app: &App) -> WorkerBuilder {
        let stores = app.stores();
        let inner =
            cardoon_worker::Worker::builder(stores.broker.clone(), stores.results.clone(), stores.joined);
        WorkerBuilder { inner: inner.clock(app.clock().clone()).limits(*app.limits()), broken: None }
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

impl WorkerBuilder {
    /// Adds a task, by the type that stands beside its function: `.task::<add>()`.
    pub fn task<T: Task>(self) -> Self {
        self.definition(T::definition())
    }

    /// Adds a task that was defined in another way.
    pub fn definition(mut self, definition: TaskDefinition) -> Self {
        self.inner = self.inner.task(definition);
        self
    }

    /// Adds the tasks of [`builtin`], for drills and benchmarks.
    pub fn builtins(mut self) -> Self {
        self.inner = self.inner.tasks(builtin::all());
        self
    }

    /// Gives all tasks a value, which they take as [`State<T>`](crate::State); one of the same type is replaced.
    pub fn state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        self.inner = self.inner.state(state);
        self
    }

    /// How many tasks are executed at once, at least 1. As many as there are processors by default.
    pub fn concurrency(mut self, slots: u32) -> Self {
        self.inner = self.inner.concurrency(slots);
        self
    }

    /// The queues to take from, in turn, so that none starves. By default those of the tasks' options, and `celery`.
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

    /// The worker's name, for people.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.inner = self.inner.name(name);
        self
    }

    /// How long a draining worker waits for its running tasks: 25 s by default.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.inner = self.inner.grace(grace);
        self
    }

    /// How long leases live and how often they are renewed: 15 s and 3 s by default. The heartbeat is at most a third of
    /// the lease.
    pub fn terms(mut self, terms: LeaseTerms) -> Self {
        self.inner = self.inner.terms(terms);
        self
    }

    /// Publishes events even if nobody listens.
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
