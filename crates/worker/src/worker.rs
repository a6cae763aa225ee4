//! The worker as its program sees it: built, run, told to stop.

use std::collections::HashMap;
use std::sync::Arc;

use cardoon_broker::Broker;
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use tokio::sync::watch;

use crate::{TaskDefinition, WorkerBuilder, driver, executors};

/// A worker that is ready to run.
pub struct Worker {
    pub(crate) setup: WorkerBuilder,
    pub(crate) tasks: HashMap<String, TaskDefinition>,
    orders: watch::Sender<Order>,
}

/// Tells a running worker to stop. Cheap to clone; all of its calls may be repeated.
#[derive(Debug, Clone)]
pub struct WorkerHandle(watch::Sender<Order>);

/// Why a worker has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerExit {
    /// It was told to.
    Drained,
    /// More than half of its slots are held by tasks that ignore their time limits. Its process should be replaced.
    SlotsLost,
}

/// What the program wants of a worker. Grows only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Order {
    Run,
    Drain,
    Stop,
}

impl Worker {
    pub fn builder(broker: Arc<dyn Broker>, results: Arc<dyn ResultBackend>, joined: bool) -> WorkerBuilder {
        WorkerBuilder::new(broker, results, joined)
    }

    pub(crate) fn new(setup: WorkerBuilder, tasks: HashMap<String, TaskDefinition>) -> Self {
        Self { setup, tasks, orders: watch::Sender::new(Order::Run) }
    }

    pub fn handle(&self) -> WorkerHandle {
        WorkerHandle(self.orders.clone())
    }

    /// Runs until it is told to stop, or cannot go on. Asynchronous tasks run on the runtime that awaits this.
    ///
    /// In a process that a worker started for an isolated task (see [`crate::is_child`]) this serves that worker
    /// instead, and ends the process with it.
    pub async fn run(self) -> Result<WorkerExit> {
        if executors::is_child() {
            return executors::serve_parent(self).await;
        }
        let orders = self.orders.subscribe();
        driver::run(self, orders).await
    }
}

impl WorkerHandle {
    /// Takes nothing new, hands back what has not begun, and waits for running tasks up to the grace time.
    pub fn drain(&self) {
        self.raise(Order::Drain);
    }

    /// Hands back everything at once; running tasks are cancelled and run again elsewhere.
    pub fn stop(&self) {
        self.raise(Order::Stop);
    }

    fn raise(&self, order: Order) {
        self.0.send_if_modified(|current| {
            let raised = order > *current;
            *current = order.max(*current);
            raised
        });
    }
}
