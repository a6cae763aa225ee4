//! The names of kombu's keys, and its scale of priorities.

use cardoon_core::{Priority, QueueName};

/// A queue has one list for each of these levels; a level between two of them goes to the lower one.
pub const PRIORITY_STEPS: [u8; 4] = [0, 3, 6, 9];

/// What stands between the parts of a key or of a binding.
pub const SEPARATOR: &str = "\x06\x16";

/// The set that says which queues an exchange feeds, and the member that names one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub key: String,
    pub member: String,
}

/// The level of `priority` on Redis, where 0 is the most urgent one and what Celery gives a task without a priority.
///
/// | priority | level | list |
/// |---|---|---|
/// | 4, the default | 0 | that of the queue's name |
/// | 8, 9 | 1 | the same |
/// | 5, 6, 7 | 2 | the same |
/// | 3 | 3 | that of step 3 |
/// | 2 | 6 | that of step 6 |
/// | 0, 1 | 9 | that of step 9 |
///
/// So ours without a priority stand in one line with Celery's, and nothing goes before these, as with Celery.
pub fn level(priority: Priority) -> u8 {
    match priority.level() {
        8.. => 1,
        5..=7 => 2,
        4 => 0,
        3 => 3,
        2 => 6,
        0 | 1 => 9,
    }
}

/// The priority of a level on Redis: one that is in the same list.
pub fn priority(level: u8) -> Priority {
    match level {
        0 => Priority::default(),
        1 => Priority::HIGHEST,
        2 => Priority::new(7),
        3..=5 => Priority::new(3),
        6..=8 => Priority::new(2),
        9.. => Priority::LOWEST,
    }
}

/// The list that holds the messages of `queue` at `level`.
pub fn list_key(queue: &QueueName, level: u8) -> String {
    match PRIORITY_STEPS.into_iter().rfind(|step| *step <= level) {
        None | Some(0) => queue.to_string(),
        Some(step) => format!("{queue}{SEPARATOR}{step}"),
    }
}

/// The binding of a queue to the direct exchange of the same name, which Celery declares for each queue.
pub fn binding(queue: &QueueName) -> Binding {
    let member = format!("{queue}{SEPARATOR}{SEPARATOR}{queue}");
    Binding { key: format!("_kombu.binding.{queue}"), member }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_goes_to_the_list_of_the_step_below_it() {
        let queue = QueueName::default_queue();
        let keys = [0, 2, 3, 5, 6, 9, 200].map(|level| list_key(&queue, level));
        let lower = "celery\x06\x163";
        let expected =
            ["celery", "celery", lower, lower, "celery\x06\x166", "celery\x06\x169", "celery\x06\x169"];
        assert_eq!(keys, expected);
    }

    /// Where a priority stands among the lists; the first is taken from first.
    fn step(level: u8) -> u8 {
        PRIORITY_STEPS.into_iter().rfind(|step| *step <= level).unwrap()
    }

    #[test]
    fn the_scale_is_turned_round_and_the_default_is_celerys() {
        assert_eq!(level(Priority::default()), 0);
        for value in 0..9 {
            let (less, more) = (level(Priority::new(value)), level(Priority::new(value + 1)));
            assert!(step(less) >= step(more), "{value} goes before {}", value + 1);
        }
        let steps: Vec<u8> = (0..=9).map(|value| step(level(Priority::new(value)))).collect();
        assert_eq!(steps, [9, 9, 6, 3, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn who_sends_again_what_it_read_puts_it_into_the_same_list() {
        for wire in 0..=u8::MAX {
            assert_eq!(step(level(priority(wire))), step(wire), "{wire}");
        }
        for value in [0, 2, 3, 4, 7, 9] {
            assert_eq!(priority(level(Priority::new(value))), Priority::new(value));
        }
    }

    #[test]
    fn a_queue_is_bound_to_the_exchange_of_its_name() {
        let binding = binding(&QueueName::default_queue());
        assert_eq!(binding.key, "_kombu.binding.celery");
        assert_eq!(binding.member, "celery\x06\x16\x06\x16celery");
    }
}
