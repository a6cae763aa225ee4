use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_core::{BootInstant, QueueName};

/// For how long a task is left to others before it is asked again whether they are there.
const FOR: Duration = Duration::from_secs(10);

/// So many tasks of a queue are left to others; further ones, and those with a longer name, are put off one by one. Names
/// are part of each claim, and come from whoever can send.
const MOST: usize = 64;
const LONGEST_NAME: usize = 255;

/// The tasks that a consumer leaves in their queues, for a while, because only others know them.
#[derive(Debug, Default)]
pub struct LeftToOthers {
    since: Mutex<HashMap<QueueName, HashMap<String, BootInstant>>>,
}

impl LeftToOthers {
    pub fn leave(&self, queue: &QueueName, task: &str, now: BootInstant) {
        let mut since = self.since();
        let tasks = since.entry(queue.clone()).or_default();
        if task.len() <= LONGEST_NAME && (tasks.len() < MOST || tasks.contains_key(task)) {
            tasks.insert(task.to_owned(), now);
        }
    }

    /// The tasks that are left to others now, with their queues.
    pub fn tasks(&self, now: BootInstant) -> Vec<(QueueName, String)> {
        let mut since = self.since();
        since.retain(|_, tasks| {
            tasks.retain(|_, since| now.since(*since) < FOR);
            !tasks.is_empty()
        });
        let of = |(queue, tasks): (&QueueName, &HashMap<String, BootInstant>)| -> Vec<_> {
            tasks.keys().map(|task| (queue.clone(), task.clone())).collect()
        };
        since.iter().flat_map(of).collect()
    }

    /// How long until the first of them may be claimed again.
    pub fn until_next(&self, now: BootInstant) -> Option<Duration> {
        let since = self.since();
        let left = since.values().flat_map(HashMap::values).map(|since| now.since(*since));
        left.filter_map(|age| FOR.checked_sub(age)).filter(|left| !left.is_zero()).min()
    }

    fn since(&self) -> MutexGuard<'_, HashMap<QueueName, HashMap<String, BootInstant>>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_left_for_a_while() {
        let left = LeftToOthers::default();
        let (queue, start) = (QueueName::default_queue(), BootInstant(1_000_000_000));
        left.leave(&queue, "a", start);
        assert_eq!(left.tasks(start), [(queue, "a".to_owned())]);
        assert_eq!(left.until_next(start.plus(FOR / 4)), Some(FOR * 3 / 4));
        assert_eq!(left.until_next(start.plus(FOR)), None, "also before anybody asks for the tasks");
        assert_eq!(left.tasks(start.plus(FOR)), []);
        assert_eq!(left.until_next(start.plus(FOR)), None);
    }

    #[test]
    fn a_queue_has_a_bounded_number_of_them() {
        let left = LeftToOthers::default();
        let (queue, now) = (QueueName::default_queue(), BootInstant(0));
        left.leave(&queue, &"n".repeat(LONGEST_NAME + 1), now);
        assert_eq!(left.tasks(now), []);
        (0..=MOST).for_each(|n| left.leave(&queue, &n.to_string(), now));
        assert_eq!(left.tasks(now).len(), MOST);
    }
}
