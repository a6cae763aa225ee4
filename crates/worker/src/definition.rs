//! What a worker knows of a task before any message names it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{Priority, QueueName, RetryPolicy};
use cardoon_protocol::Arguments;

use crate::{StateNeed, TaskContext, TaskError};

/// A task that can be executed: its name, its options and the code.
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    /// The name that messages carry.
    pub name: String,
    pub options: TaskOptions,
    pub handler: Handler,
    /// The names of the parameters, in order; [`Arguments::bind`] takes them.
    pub parameters: Vec<&'static str>,
    /// The states that the handler asks its context for. A worker that lacks one does not start.
    pub states: Vec<StateNeed>,
}

/// How a task is sent and executed. A message may override its limits and [`TaskOptions::ignore_result`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskOptions {
    /// The queue that it is sent to; `celery` by default.
    pub queue: Option<QueueName>,
    pub priority: Option<Priority>,
    /// 3 retries by default.
    pub retry: RetryPolicy,
    /// After this time the task is told by its cancellation. No limit by default.
    pub soft_time_limit: Option<Duration>,
    /// After this time the task is ended. No limit by default.
    pub time_limit: Option<Duration>,
    /// How long after sending it may still be started. For ever by default.
    pub expires: Option<Duration>,
    pub ack: AckMode,
    pub isolate: Isolation,
    /// Whether the return value is dropped; the end of the task is recorded all the same.
    pub ignore_result: bool,
}

/// When a delivery is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AckMode {
    /// With the result: a task whose worker dies runs again.
    #[default]
    Late,
    /// Before user code runs: a task whose worker dies once it has begun is recorded as of unknown outcome, and does not
    /// run again.
    Early,
}

/// What stands between a task and the worker's process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    #[default]
    None,
    /// It runs in a child process, which can be killed and whose death takes nothing with it. A process that is not
    /// ready in time (30 s by default) is killed, and nobody is blamed for that.
    Process,
}

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The return value as JSON, or why there is none.
pub type TaskResult = Result<Bytes, TaskError>;

/// The code of an asynchronous task.
pub type AsyncHandler = Arc<dyn Fn(TaskContext, Arguments) -> BoxFuture<'static, TaskResult> + Send + Sync>;

/// The code of a task that blocks its thread.
pub type BlockingHandler = Arc<dyn Fn(TaskContext, Arguments) -> TaskResult + Send + Sync>;

/// The code of a task.
#[derive(Clone)]
pub enum Handler {
    /// Runs on the runtime that called `Worker::run`.
    Async(AsyncHandler),
    /// Runs on a thread of its slot, within that runtime's context.
    Blocking(BlockingHandler),
    /// Runs in one of the worker's children, which have the code; see `WorkerBuilder::children`.
    Child(ChildTask),
}

/// A task that a worker's children have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildTask {
    /// Its place among the tasks of the children's greeting.
    pub index: u32,
    pub lane: Lane,
}

/// What a run in a child is to that child, and so how it can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// It has the child to itself, and is ended with it.
    Process,
    /// A thread, which ends when it wants to.
    Thread,
    /// A coroutine, which ends at its next `await`.
    Future,
}

impl Handler {
    /// Wraps an asynchronous function.
    pub fn asynchronous<F, R>(function: F) -> Self
    where
        F: Fn(TaskContext, Arguments) -> R + Send + Sync + 'static,
        R: Future<Output = TaskResult> + Send + 'static,
    {
        Self::Async(Arc::new(move |context, arguments| Box::pin(function(context, arguments))))
    }

    /// Wraps a function that blocks.
    pub fn blocking<F>(function: F) -> Self
    where
        F: Fn(TaskContext, Arguments) -> TaskResult + Send + Sync + 'static,
    {
        Self::Blocking(Arc::new(function))
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Blocking(_) => "Blocking",
            Self::Child(_) => "Child",
        })
    }
}
