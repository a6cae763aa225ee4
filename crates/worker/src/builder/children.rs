//! A worker whose tasks run in children.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardoon_children::{Prepared, TaskSpec};
use cardoon_core::{Priority, QueueName, RetryOn, RetryPolicy};
use cardoon_errors::{Code, Error, Result};

use super::WorkerBuilder;
use crate::{AckMode, ChildTask, Handler, Isolation, Lane, TaskDefinition, TaskOptions};

/// Where a prepared pool waits until the worker runs.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Option<Box<Prepared>>>);

impl Slot {
    pub(crate) fn take(&self) -> Option<Prepared> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map(|prepared| *prepared)
    }
}

impl WorkerBuilder {
    /// Adds the tasks of `prepared`, and has them executed by its children. The worker's slots are those of the children:
    /// `lane` says what a run is to its child.
    ///
    /// # Errors
    ///
    /// `CD2005` if a task names a queue that cannot be one, `CD4002` for a time limit that is no length of time.
    pub fn children(mut self, mut prepared: Prepared, lane: Lane) -> Result<Self> {
        for (index, spec) in prepared.greeting().tasks.iter().enumerate() {
            let handler = Handler::Child(ChildTask { index: index as u32, lane });
            self.tasks.push(definition(spec, handler)?);
        }
        prepared.set_hostname(&self.name);
        let shape = prepared.shape();
        self.concurrency = (shape.children * shape.kind.lanes()) as u32;
        self.children = Slot(Mutex::new(Some(Box::new(prepared))));
        Ok(self)
    }
}

fn definition(spec: &TaskSpec, handler: Handler) -> Result<TaskDefinition> {
    let name = spec.name.clone();
    let queue = spec.queue.as_ref().map(QueueName::new).transpose().map_err(|error| {
        Error::new(Code::BadName, format!("the queue of task {name} cannot be used: {error}"))
    })?;
    let options = TaskOptions {
        queue,
        priority: spec.priority.map(Priority::new),
        // The child decides whether a failure is worth another attempt, and says so. What it says nothing of is not.
        retry: RetryPolicy {
            max_retries: u32::MAX,
            retry_on: RetryOn::Only(Vec::new()),
            ..RetryPolicy::default()
        },
        soft_time_limit: limit(&name, "soft_time_limit", spec.soft_time_limit)?,
        time_limit: limit(&name, "time_limit", spec.time_limit)?,
        expires: None,
        ack: if spec.early { AckMode::Early } else { AckMode::Late },
        isolate: Isolation::None,
        ignore_result: spec.ignore_result,
    };
    Ok(TaskDefinition { name, options, handler, parameters: Vec::new(), states: Vec::new() })
}

fn limit(task: &str, option: &str, secs: Option<f64>) -> Result<Option<Duration>> {
    let Some(secs) = secs else { return Ok(None) };
    let limit = Duration::try_from_secs_f64(secs);
    limit.map(Some).map_err(|error| {
        Error::new(Code::BadSetting, format!("{option} of task {task} is {secs}")).checked(error.to_string())
    })
}
