use async_trait::async_trait;
use cardoon_core::{DeadReason, Message, QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use serde::Serialize;

/// Messages that could not be executed, with their reason and original bytes. Kept for 14 days by default.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// Newest first, at most `limit`.
    async fn list(&self, filter: &DeadFilter, limit: usize) -> Result<Vec<DeadLetter>>;

    async fn show(&self, id: &TaskId) -> Result<Option<DeadLetter>>;

    /// How many match, by their reason; only reasons that occur, in the order of [`DeadReason::ALL`].
    async fn count(&self, filter: &DeadFilter) -> Result<Vec<(DeadReason, u64)>> {
        let letters = self.list(filter, usize::MAX).await?;
        let of = |reason| (reason, letters.iter().filter(|letter| letter.reason == reason).count() as u64);
        Ok(DeadReason::ALL.into_iter().map(of).filter(|(_, letters)| *letters > 0).collect())
    }

    /// Sends the matching messages to their queues again, bytes and id unchanged, as attempt 0 with no deaths counted
    /// against them, and such that their run registers. Answers how many.
    ///
    /// A broker whose settle is atomic reopens their run records in the same step. With another one the caller does
    /// it before, with the result backend's `reopen`; else they would count as ended and not run.
    async fn redrive(&self, filter: &DeadFilter) -> Result<u64>;

    /// Deletes the matching messages. Answers how many.
    async fn purge(&self, filter: &DeadFilter) -> Result<u64>;

    /// Stores letters that come from another store, with the times of their deaths. One of the same task and time that
    /// is there already is not stored twice. Answers how many were stored.
    async fn bury(&self, letters: Vec<DeadLetter>) -> Result<u64>;
}

/// Which dead letters; all of them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadFilter {
    /// Only these; any if empty.
    pub ids: Vec<TaskId>,
    pub queue: Option<QueueName>,
    pub reason: Option<DeadReason>,
}

impl DeadFilter {
    /// Whether `letter` is one of them.
    pub fn admits(&self, letter: &DeadLetter) -> bool {
        (self.ids.is_empty() || self.ids.contains(&letter.message.id))
            && self.queue.as_ref().is_none_or(|queue| *queue == letter.queue)
            && self.reason.is_none_or(|reason| reason == letter.reason)
    }
}

/// A message that could not be executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    pub message: Message,
    pub queue: QueueName,
    pub reason: DeadReason,
    /// The reason in words: what was wrong, or the last error.
    pub detail: String,
    pub deaths: u32,
    pub died_at: Timestamp,
}
