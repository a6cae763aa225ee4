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

/// The level of `priority` on Redis, where 0 is the most urgent one.
pub fn level(priority: Priority) -> u8 {
    Priority::HIGHEST.level() - priority.level()
}

/// The priority of a level on Redis; levels above 9 count as 9.
pub fn priority(level: u8) -> Priority {
    Priority::new(Priority::HIGHEST.level().saturating_sub(level))
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

    #[test]
    fn the_scale_is_turned_round() {
        assert_eq!((level(Priority::HIGHEST), level(Priority::LOWEST)), (0, 9));
        for value in 0..=9 {
            assert_eq!(priority(level(Priority::new(value))), Priority::new(value));
        }
        assert_eq!(priority(200), Priority::LOWEST);
    }

    #[test]
    fn a_queue_is_bound_to_the_exchange_of_its_name() {
        let binding = binding(&QueueName::default_queue());
        assert_eq!(binding.key, "_kombu.binding.celery");
        assert_eq!(binding.member, "celery\x06\x16\x06\x16celery");
    }
}
