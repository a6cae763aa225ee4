//! What people write and mean: names and times.

use cardoon_core::{IdError, QueueName, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};

use crate::text::cut;

/// Longest part of a wrong name that an error repeats.
const NAME: usize = 80;

/// Fails with `CD2005` for a text that cannot be an id.
pub fn task_id(text: &str) -> Result<TaskId> {
    TaskId::new(text).map_err(|reason| bad_name("task id", text, &reason))
}

/// Fails with `CD2005` for a text that cannot be a name of a queue.
pub fn queue_name(text: &str) -> Result<QueueName> {
    QueueName::new(text).map_err(|reason| bad_name("queue name", text, &reason))
}

/// A point in time in RFC 3339; the error says what was expected.
pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    let time: jiff::Timestamp =
        text.parse().map_err(|error| format!("{error}; write it as 2030-01-31T12:00:00Z"))?;
    Ok(Timestamp(time.as_millisecond()))
}

fn bad_name(what: &str, text: &str, reason: &IdError) -> Error {
    Error::new(Code::BadName, format!("`{}` cannot be a {what}: {reason}", cut(text, NAME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_with_a_zone() {
        assert_eq!(timestamp("1970-01-01T00:00:01Z"), Ok(Timestamp(1000)));
        assert!(timestamp("1970-01-01 00:00").is_err());
    }
}
