use cardoon_core::{Event, EventKind, QueueName, TaskId};

/// Which events; all by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct EventFilter {
    pub(crate) id: Option<TaskId>,
    pub(crate) task: Option<String>,
    pub(crate) queue: Option<QueueName>,
    /// The word of a kind, such as `task-failed`.
    pub(crate) kind: Option<String>,
}

impl EventFilter {
    pub(super) fn admits_all(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn admits(&self, event: &Event) -> bool {
        self.id.as_ref().is_none_or(|id| event.id.as_ref() == Some(id))
            && self.task.as_ref().is_none_or(|task| event.task.as_deref() == Some(task))
            && self.queue.as_ref().is_none_or(|queue| event.queue.as_ref() == Some(queue))
            && self.kind.as_ref().is_none_or(|kind| kind_word(event.kind) == *kind)
    }
}

/// The kind as it is written.
pub(super) fn kind_word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::TaskSent => "task-sent",
        EventKind::TaskReceived => "task-received",
        EventKind::TaskStarted => "task-started",
        EventKind::TaskSucceeded => "task-succeeded",
        EventKind::TaskFailed => "task-failed",
        EventKind::TaskRetried => "task-retried",
        EventKind::TaskRevoked => "task-revoked",
        EventKind::TaskProgress => "task-progress",
        EventKind::TaskRescued => "task-rescued",
        EventKind::TaskDead => "task-dead",
        EventKind::WorkerOnline => "worker-online",
        EventKind::WorkerHeartbeat => "worker-heartbeat",
        EventKind::WorkerOffline => "worker-offline",
        EventKind::WorkerLost => "worker-lost",
    }
}
