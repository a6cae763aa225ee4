use cardoon_broker::{DeadLetter, Place, Waiting};
use cardoon_core::{DeadReason, Progress, ResultRecord, TaskState, Timestamp};
use cardoon_protocol::{Limits, decode};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{RunView, raw_json};
use crate::Known;
use crate::times::rfc3339;

/// All that is known of a task.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub struct TaskView {
    pub id: String,
    pub task: String,
    #[schema(value_type = String, example = "SUCCESS")]
    pub state: TaskState,
    /// Positional arguments, while the message is kept.
    #[schema(value_type = Option<Vec<Value>>)]
    pub args: Option<Box<RawValue>>,
    /// Named arguments, while the message is kept.
    #[schema(value_type = Option<Object>)]
    pub kwargs: Option<Box<RawValue>>,
    /// Its latest ended run.
    pub record: Option<RunView>,
    /// Where it waits or who holds it.
    pub message: Option<MessageView>,
    pub dead: Option<DeadView>,
    pub progress: Option<ProgressView>,
    /// All its ended runs, first to last.
    pub history: Vec<RunView>,
}

/// The message of a task that has not ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Message)]
pub struct MessageView {
    /// `ready`, `delayed` or `held`.
    pub place: &'static str,
    pub queue: String,
    pub task: String,
    pub attempt: u32,
    pub enqueued_at: String,
    pub until: Option<String>,
    pub worker: Option<String>,
    pub deaths: u32,
}

/// Why it is among the dead letters.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Dead)]
pub struct DeadView {
    #[schema(value_type = String)]
    pub reason: DeadReason,
    pub detail: String,
    pub died_at: String,
}

/// How far a running task says it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Progress)]
pub struct ProgressView {
    pub done: u64,
    pub total: Option<u64>,
    pub message: String,
}

/// A task in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TaskLine {
    pub id: String,
    pub task: String,
    pub queue: String,
    #[schema(value_type = String, example = "PENDING")]
    pub state: TaskState,
    pub attempt: u32,
    /// When it was sent, or ended.
    pub since: String,
    pub worker: Option<String>,
    #[serde(skip)]
    pub at: Timestamp,
}

impl TaskView {
    /// The arguments of a message that cannot be read are left out.
    pub fn of(known: &Known, limits: &Limits) -> Self {
        let incoming = known.message().and_then(|message| decode(message, limits).ok());
        let arguments = incoming.as_ref().map(|incoming| &incoming.arguments);
        Self {
            id: known.id.to_string(),
            task: known.task().to_owned(),
            state: known.state(),
            args: arguments.and_then(|arguments| raw_json(arguments.args())),
            kwargs: arguments.and_then(|arguments| raw_json(arguments.kwargs())),
            record: known.found.record.as_ref().map(RunView::of),
            message: known.found.message.as_ref().map(|(waiting, place)| MessageView::of(waiting, place)),
            dead: known.found.dead.as_ref().map(DeadView::of),
            progress: known.progress.as_ref().map(|reported| ProgressView::of(&reported.progress)),
            history: known.history.iter().map(RunView::of).collect(),
        }
    }
}

impl MessageView {
    fn of(waiting: &Waiting, place: &Place) -> Self {
        let (word, until, worker) = match place {
            Place::Ready => ("ready", None, None),
            Place::Delayed { until } => ("delayed", Some(*until), None),
            Place::Held { worker, .. } => ("held", None, Some(worker.clone())),
        };
        Self {
            place: word,
            queue: waiting.queue.to_string(),
            task: waiting.message.task.clone(),
            attempt: waiting.message.attempt,
            enqueued_at: rfc3339(waiting.enqueued_at),
            until: until.map(rfc3339),
            worker,
            deaths: waiting.deaths,
        }
    }
}

impl DeadView {
    fn of(letter: &DeadLetter) -> Self {
        Self { reason: letter.reason, detail: letter.detail.clone(), died_at: rfc3339(letter.died_at) }
    }
}

impl ProgressView {
    fn of(progress: &Progress) -> Self {
        let Progress { done, total, message } = progress.clone();
        Self { done, total, message }
    }
}

impl TaskLine {
    pub fn of_message((waiting, place): (Waiting, Place)) -> Self {
        let state = place.state(&waiting.message);
        let worker = match place {
            Place::Ready | Place::Delayed { .. } => None,
            Place::Held { worker, .. } => Some(worker),
        };
        Self {
            id: waiting.message.id.to_string(),
            task: waiting.message.task,
            queue: waiting.queue.to_string(),
            state,
            attempt: waiting.message.attempt,
            since: rfc3339(waiting.enqueued_at),
            worker,
            at: waiting.enqueued_at,
        }
    }

    pub fn of_record(record: ResultRecord) -> Self {
        Self {
            id: record.id.to_string(),
            task: record.task,
            queue: record.queue.to_string(),
            state: record.state,
            attempt: record.attempt,
            since: rfc3339(record.finished_at),
            worker: Some(record.worker.to_string()).filter(|worker| !worker.is_empty()),
            at: record.finished_at,
        }
    }
}
