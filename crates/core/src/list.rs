//! Asking for many: which, and in pages.

use std::fmt;
use std::str::FromStr;

use crate::{Message, QueueName, ResultRecord, TaskState, Timestamp};

/// Which tasks; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFilter {
    pub state: Option<TaskState>,
    pub task: Option<String>,
    pub queue: Option<QueueName>,
    /// Ended at this time or later; sent then, if it has not ended.
    pub since: Option<Timestamp>,
    /// Ended, or sent, before this time.
    pub until: Option<Timestamp>,
    /// Stands in the id, the name, the name of the worker or the failure. Capitals count as small letters, for ASCII.
    pub text: Option<String>,
}

impl TaskFilter {
    /// Whether an ended run is one of them.
    pub fn admits(&self, record: &ResultRecord) -> bool {
        self.admits_named(&record.task, &record.queue, record.state)
            && self.admits_time(record.finished_at)
            && self.admits_text(|has| {
                let failure = record.failure.as_ref();
                has(record.id.as_str())
                    || has(&record.task)
                    || has(&record.worker)
                    || failure.is_some_and(|failure| has(&failure.kind) || has(&failure.message))
            })
    }

    /// Whether a task that has not ended is one of them.
    pub fn admits_waiting(
        &self,
        message: &Message,
        queue: &QueueName,
        state: TaskState,
        sent: Timestamp,
    ) -> bool {
        self.admits_named(&message.task, queue, state)
            && self.admits_time(sent)
            && self.admits_text(|has| has(message.id.as_str()) || has(&message.task))
    }

    fn admits_named(&self, task: &str, queue: &QueueName, state: TaskState) -> bool {
        self.state.is_none_or(|wanted| wanted == state)
            && self.task.as_ref().is_none_or(|wanted| wanted == task)
            && self.queue.as_ref().is_none_or(|wanted| wanted == queue)
    }

    fn admits_time(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }

    fn admits_text(&self, stands: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> bool {
        let Some(text) = &self.text else { return true };
        let text = text.to_ascii_lowercase();
        stands(&|place: &str| place.to_ascii_lowercase().contains(&text))
    }
}

/// Where a list goes on: after the item with this number and, where several have one, this id. What is counted is the
/// store's own business, so a position means something to the store that gave it, for the same filter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    pub number: i64,
    pub id: String,
}

impl Position {
    /// The position of an item whose number is its own.
    pub fn of(number: i64) -> Self {
        Self { number, id: String::new() }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.id.is_empty() {
            write!(f, "{}", self.number)
        } else {
            write!(f, "{}.{}", self.number, self.id)
        }
    }
}

impl FromStr for Position {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (number, id) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { number: number.parse()?, id: id.to_owned() })
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the list goes on; `None` at its end. A page may have few items, or none, although the list goes on: a store
    /// looks at a bounded number of tasks for one page.
    pub next: Option<Position>,
}

impl<T> Page<T> {
    /// A list that has come to its end.
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }

    /// The first `limit` of `items`, of which one more is given if there are more; `position` says where an item stands.
    pub fn of(mut items: Vec<T>, limit: usize, position: impl FnOnce(&T) -> Position) -> Self {
        if items.len() <= limit {
            return Self::last(items);
        }
        items.truncate(limit);
        let next = items.last().map(position);
        Self { items, next }
    }

    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(change).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RunNumber, TaskFailure, TaskId};

    fn record() -> ResultRecord {
        ResultRecord {
            id: TaskId::new("id-1").unwrap(),
            task: "mail.send".into(),
            queue: QueueName::new("mail").unwrap(),
            state: TaskState::Failure,
            run: RunNumber(1),
            attempt: 0,
            value: None,
            failure: Some(TaskFailure::new("SMTPError", "mailbox FULL")),
            worker: "one@host".into(),
            started_at: None,
            finished_at: Timestamp(100),
        }
    }

    fn admits(change: impl FnOnce(&mut TaskFilter)) -> bool {
        let mut filter = TaskFilter::default();
        change(&mut filter);
        filter.admits(&record())
    }

    #[test]
    fn each_wish_must_be_met() {
        assert!(admits(|_| {}));
        assert!(admits(|filter| filter.state = Some(TaskState::Failure)));
        assert!(!admits(|filter| filter.state = Some(TaskState::Success)));
        assert!(!admits(|filter| filter.task = Some("mail".into())));
        assert!(!admits(|filter| filter.queue = Some(QueueName::default())));
    }

    #[test]
    fn a_span_of_time_has_its_beginning_and_not_its_end() {
        assert!(admits(|filter| filter.since = Some(Timestamp(100))));
        assert!(!admits(|filter| filter.since = Some(Timestamp(101))));
        assert!(admits(|filter| filter.until = Some(Timestamp(101))));
        assert!(!admits(|filter| filter.until = Some(Timestamp(100))));
    }

    #[test]
    fn text_is_looked_for_where_people_see_it() {
        for text in ["ID-1", "mail.", "ONE@", "smtp", "full"] {
            assert!(admits(|filter| filter.text = Some(text.into())), "{text}");
        }
        assert!(!admits(|filter| filter.text = Some("empty".into())));
    }

    #[test]
    fn a_page_goes_on_after_its_last_item() {
        let page = |limit| Page::of(vec![1, 2, 3], limit, |item| Position::of(*item));
        assert_eq!(page(3), Page::last(vec![1, 2, 3]));
        assert_eq!(page(2), Page { items: vec![1, 2], next: Some(Position::of(2)) });
    }

    #[test]
    fn a_position_reads_as_it_was_written() {
        for position in [Position::of(-7), Position { number: 1, id: "a.b c".into() }] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        assert!("".parse::<Position>().is_err() && "x.1".parse::<Position>().is_err());
    }
}
