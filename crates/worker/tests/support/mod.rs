//! A worker on the memory adapters, and what a test asks of them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::memory::MemoryBroker;
use cardoon_broker::{Broker, DeadLetter, Publish};
use cardoon_core::{Message, QueueName, ResultRecord, Signature, SignatureOptions, TaskId};
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_results::memory::MemoryResults;
use cardoon_runtime::Clock;
use cardoon_worker::{
    Handler, TaskDefinition, TaskOptions, TaskResult, Worker, WorkerBuilder, WorkerExit, WorkerHandle,
};
use tokio::task::JoinHandle;

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Bench {
    pub(crate) broker: Arc<MemoryBroker>,
    pub(crate) results: Arc<MemoryResults>,
    pub(crate) handle: WorkerHandle,
    running: std::sync::Mutex<Option<Running>>,
}

/// A worker that runs beside the test.
pub(crate) struct Running {
    handle: WorkerHandle,
    exit: JoinHandle<Result<WorkerExit>>,
}

impl Bench {
    /// A worker with two slots.
    pub(crate) fn start(tasks: Vec<TaskDefinition>) -> Self {
        let mut bench = Self::without_worker();
        let running = bench.worker(tasks);
        bench.handle = running.handle.clone();
        bench.running = Some(running).into();
        bench
    }

    pub(crate) fn without_worker() -> Self {
        let broker = MemoryBroker::new(Clock::real());
        let results = MemoryResults::new(Clock::real());
        let idle = Worker::builder(broker.clone(), results.clone(), false)
            .task(definition("idle", TaskOptions::default(), echo()))
            .build()
            .unwrap();
        Self { handle: idle.handle(), broker, results, running: None.into() }
    }

    pub(crate) fn builder(&self, tasks: Vec<TaskDefinition>) -> WorkerBuilder {
        Worker::builder(self.broker.clone(), self.results.clone(), false).tasks(tasks).concurrency(2)
    }

    pub(crate) fn worker(&self, tasks: Vec<TaskDefinition>) -> Running {
        self.run(self.builder(tasks))
    }

    #[expect(clippy::unused_self, reason = "it reads like the others")]
    #[expect(clippy::disallowed_methods, reason = "a test is its own supervisor")]
    pub(crate) fn run(&self, builder: WorkerBuilder) -> Running {
        let worker = builder.build().unwrap();
        Running { handle: worker.handle(), exit: tokio::spawn(worker.run()) }
    }

    pub(crate) async fn send(&self, task: &str, args: &str) -> TaskId {
        self.publish(message(task, args)).await
    }

    pub(crate) async fn publish(&self, message: Message) -> TaskId {
        let id = message.id.clone();
        let publish = Publish { queue: QueueName::default(), message, not_before: None, resent: false };
        self.broker.publish(vec![publish]).await.remove(0).unwrap();
        id
    }

    /// The task's end.
    pub(crate) async fn wait(&self, id: &TaskId) -> ResultRecord {
        self.results.wait(id, Some(PATIENCE)).await.unwrap().expect("it ends in time")
    }

    /// The task's dead letter. Its result comes first, so this may have to wait.
    pub(crate) async fn dead(&self, id: &TaskId) -> DeadLetter {
        until(async || self.broker.dead_letters().show(id).await.unwrap().is_some()).await;
        self.broker.dead_letters().show(id).await.unwrap().unwrap()
    }

    /// How many deliveries workers hold.
    pub(crate) async fn held(&self) -> u64 {
        self.broker.inspect().queues().await.unwrap().iter().map(|queue| queue.held).sum()
    }

    /// Drains the worker.
    pub(crate) async fn end(&self) -> WorkerExit {
        let running = self.running.lock().unwrap().take();
        running.expect("there is a worker").stop().await
    }
}

impl Running {
    /// How it ends, told by somebody else.
    pub(crate) async fn ended(self) -> WorkerExit {
        tokio::time::timeout(PATIENCE, self.exit).await.expect("it ends in time").unwrap().unwrap()
    }

    pub(crate) async fn stop(self) -> WorkerExit {
        self.handle.drain();
        self.ended().await
    }
}

pub(crate) fn definition(name: &str, options: TaskOptions, handler: Handler) -> TaskDefinition {
    TaskDefinition { name: name.into(), options, handler, parameters: Vec::new(), states: Vec::new() }
}

/// Returns its positional arguments.
pub(crate) fn echo() -> Handler {
    Handler::asynchronous(|_, arguments| async move { Ok(arguments.args().clone()) })
}

#[expect(clippy::unnecessary_wraps, reason = "it is what a task returns")]
pub(crate) fn nothing() -> TaskResult {
    Ok(Bytes::from_static(b"null"))
}

pub(crate) fn message(task: &str, args: &str) -> Message {
    let signature = Signature {
        task: task.into(),
        args: Bytes::copy_from_slice(args.as_bytes()),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    cardoon_protocol::encode(&signature, cardoon_runtime::ids::task_id(), "tests").unwrap()
}

/// Waits until `condition` holds.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            Clock::real().sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it comes true in time");
}
