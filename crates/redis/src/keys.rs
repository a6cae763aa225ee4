//! The names of the keys.

use cardoon_core::{DeadReason, QueueName, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::kombu::{PRIORITY_STEPS, SEPARATOR, list_key};

/// The layout's version, in [`LAYOUT`].
pub(crate) const LAYOUT_VERSION: u32 = 1;
pub(crate) const LAYOUT: &str = "cardoon:layout";
/// Never there.
pub(crate) const NOTHING: &str = "cardoon:nothing";
/// The number of the last session.
pub(crate) const SESSION_NUMBER: &str = "cardoon:session-number";
/// Sessions, by the time of their last heartbeat.
pub(crate) const BEATS: &str = "cardoon:beats";
/// The sessions that give a sign of life besides their heartbeats.
pub(crate) const SIGNED: &str = "cardoon:signed";
/// Sessions whose sign of life is missing.
pub(crate) const SUSPECTS: &str = "cardoon:suspects";
/// Who looks for the dead now.
pub(crate) const TURN: &str = "cardoon:turn";
/// Who removed last what has been kept long enough.
pub(crate) const UPKEEP: &str = "cardoon:upkeep";
/// The queues that somebody of ours has used.
pub(crate) const QUEUES: &str = "cardoon:queues";
/// Delayed messages, by the time at which they are due.
pub(crate) const DELAYED: &str = "cardoon:delayed";
pub(crate) const DELAYED_MESSAGES: &str = "cardoon:delayed-messages";
/// Dead letters, by the time of their death.
pub(crate) const DEAD: &str = "cardoon:dead";
pub(crate) const DEAD_LETTERS: &str = "cardoon:dead-letters";
/// Revoked tasks, by the time of the revoke.
pub(crate) const REVOKED: &str = "cardoon:revoked";

/// The lists of paused queues.
pub(crate) const PAUSED: &str = "cardoon:paused";
/// The version of the last entry that was written.
pub(crate) const ENTRY_VERSION: &str = "cardoon:entry-version";

/// An entry of the coordination port.
pub(crate) fn entry(key: &str) -> String {
    format!("cardoon:entry:{key}")
}

pub(crate) fn session(number: u64) -> String {
    format!("cardoon:session:{number}")
}

/// What a session holds: its lease's sequence and tag, and the message.
pub(crate) fn held(session: u64) -> String {
    format!("cardoon:held:{session}")
}

/// The sequences of a session's leases whose user code has begun.
pub(crate) fn started(session: u64) -> String {
    format!("cardoon:started:{session}")
}

/// The sequences of a session's leases that were acknowledged early.
pub(crate) fn early(session: u64) -> String {
    format!("cardoon:early:{session}")
}

/// The sessions that take from a queue.
pub(crate) fn workers(queue: &QueueName) -> String {
    format!("cardoon:workers:{queue}")
}

/// The delayed messages of one queue.
pub(crate) fn delayed_of(queue: &QueueName) -> String {
    format!("cardoon:delayed:{queue}")
}

/// The dead letters of one queue.
pub(crate) fn dead_of(queue: &QueueName) -> String {
    format!("cardoon:dead:{queue}")
}

/// The dead letters of one reason.
pub(crate) fn dead_for(reason: DeadReason) -> String {
    format!("cardoon:dead-reason:{}", reason.as_str())
}

/// The run record of a task.
pub(crate) fn run(id: &TaskId) -> String {
    format!("cardoon:run:{id}")
}

/// The ended runs of a task.
pub(crate) fn history(id: &TaskId) -> String {
    format!("cardoon:history:{id}")
}

pub(crate) fn progress(id: &TaskId) -> String {
    format!("cardoon:progress:{id}")
}

pub(crate) const RESULTS: &str = "celery-task-meta-";

/// Celery's key of a task's result, and the channel on which it is told.
pub(crate) fn result(id: &TaskId) -> String {
    format!("{RESULTS}{id}")
}

/// The task whose result has this key.
pub(crate) fn task_of_result(key: &[u8]) -> Option<TaskId> {
    TaskId::new(std::str::from_utf8(key).ok()?.strip_prefix(RESULTS)?).ok()
}

/// Channels are common to all databases of a server, so their names hold the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels(pub(crate) i64);

impl Channels {
    pub(crate) fn events(self) -> String {
        format!("cardoon:{}:events", self.0)
    }

    pub(crate) fn revokes(self) -> String {
        format!("cardoon:{}:revoked", self.0)
    }

    /// What each worker's channel begins with. To be subscribed to its own is a worker's sign of life.
    pub(crate) fn alive(self) -> String {
        format!("cardoon:{}:alive:", self.0)
    }
}

/// What the names of our keys, of kombu's and of Celery's begin with. A list of messages has the name of its queue.
const RESERVED: [&str; 4] = ["cardoon:", "_kombu.", RESULTS, "celery-taskset-meta-"];
/// The keys in which kombu keeps what its consumers hold.
const RESERVED_WHOLE: [&str; 3] = ["unacked", "unacked_index", "unacked_mutex"];

/// Whether a queue of this name would be where the store keeps something else.
pub(crate) fn is_reserved(queue: &str) -> bool {
    RESERVED.iter().any(|prefix| queue.starts_with(prefix)) || RESERVED_WHOLE.contains(&queue)
}

/// Fails with `CD2005` for a queue that cannot be on Redis.
pub(crate) fn check(queue: &QueueName) -> Result<()> {
    if !is_reserved(queue.as_str()) {
        return Ok(());
    }
    let text =
        format!("`{queue}` cannot be a queue name on Redis: the store keeps something else under such a key");
    Err(Error::new(Code::BadName, text).hint("take another name"))
}

/// The lists of `queues`, queue by queue, the most urgent first. The place of a list is the tag of leases from it.
pub(crate) fn lists(queues: &[QueueName]) -> Vec<String> {
    queues.iter().flat_map(|queue| PRIORITY_STEPS.map(|step| list_key(queue, step))).collect()
}

/// The queue of a lease's tag.
pub(crate) fn queue_of_tag(queues: &[QueueName], tag: u64) -> Option<&QueueName> {
    queues.get(tag as usize / PRIORITY_STEPS.len())
}

/// The queue of a list.
pub(crate) fn queue_of_list(list: &str) -> Option<QueueName> {
    QueueName::new(list.split_once(SEPARATOR).map_or(list, |(queue, _)| queue)).ok()
}

/// A delayed message's name: a task waits once an attempt.
pub(crate) fn delayed_member(id: &TaskId, attempt: u32) -> String {
    format!("{id}:{attempt}")
}

/// The field of a lease among what its session holds.
pub(crate) fn held_field(sequence: u64, tag: u64) -> String {
    format!("{sequence}:{tag}")
}

/// Sequence and tag of a field.
pub(crate) fn read_held_field(field: &str) -> Option<(u64, u64)> {
    let (sequence, tag) = field.split_once(':')?;
    Some((sequence.parse().ok()?, tag.parse().ok()?))
}

/// A pattern that matches `text` itself.
pub(crate) fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lists_place_says_its_queue() {
        let queues = ["a", "b"].map(|name| QueueName::new(name).unwrap());
        let lists = lists(&queues);
        assert_eq!(lists.len(), 8);
        for (tag, list) in lists.iter().enumerate() {
            let queue = queue_of_tag(&queues, tag as u64).unwrap();
            assert_eq!(queue_of_list(list).as_ref(), Some(queue));
        }
        assert_eq!(queue_of_tag(&queues, 8), None);
    }

    #[test]
    fn a_queue_does_not_stand_where_something_else_is() {
        for name in [QUEUES, DEAD, "_kombu.binding.celery", "celery-task-meta-a", "unacked"] {
            assert_eq!(check(&QueueName::new(name).unwrap()).unwrap_err().code(), Code::BadName);
        }
        for name in ["celery", "cardoon", "cardoon.mail", "unacked-letters"] {
            check(&QueueName::new(name).unwrap()).unwrap();
        }
    }

    #[test]
    fn a_field_reads_as_it_was_written() {
        assert_eq!(read_held_field(&held_field(7, 3)), Some((7, 3)));
        assert_eq!(read_held_field("7"), None);
    }

    #[test]
    fn a_pattern_of_a_text_has_no_wild_cards() {
        assert_eq!(literally("a*b?[c]"), r"a\*b\?\[c\]");
    }
}
