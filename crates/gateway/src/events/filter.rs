use cardoon_core::{Event, QueueName, TaskId};

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
            && self.kind.as_ref().is_none_or(|kind| event.kind.as_str() == kind)
    }
}
