use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::{Page, Position, Progress, ResultRecord, RunNumber, TaskFilter, TaskId};
use cardoon_errors::Result;

/// A store of results, run records and history. The rules are those of [`cardoon_core::run`].
///
/// Batches are answered per item, in order.
#[async_trait]
pub trait ResultBackend: Send + Sync + 'static {
    /// Registers runs that may not be the first of their task. Durable when it answers.
    async fn begin(&self, runs: Vec<BeginRun>) -> Vec<Result<Begun>>;

    /// Whether a result of each of these runs would be accepted now. One that is refused is never accepted later, so
    /// what follows from such a run need not be sent.
    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>>;

    /// Stores the ends of runs, each only if its run is current, and adds them to the history.
    async fn store(&self, records: Vec<ResultRecord>) -> Vec<Result<Stored>>;

    /// The latest record of each task, if it has one: its result, or the last failed attempt.
    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>>;

    /// Waits for the task's final record, at most `limit`; `None` when that is over. Does not poll.
    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>>;

    /// All ended runs of a task, first to last.
    async fn history(&self, id: &TaskId) -> Result<Vec<ResultRecord>>;

    /// The latest record of each task that has one, newest first, at most `limit`; those after the position `after` of
    /// the same list. Who goes through all pages sees each record that was there all the time once.
    async fn list(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<ResultRecord>>;

    /// Deletes results and history, and keeps the run records. Answers how many tasks were known.
    async fn forget(&self, ids: &[TaskId]) -> Result<u64>;

    /// Lets tasks run again that have ended, under larger run numbers; their messages must be such that they
    /// register. Their results are forgotten, their history stays. Answers how many had ended. Of a task that nothing is
    /// known of, an end of its first run is not accepted after this.
    async fn reopen(&self, ids: &[TaskId]) -> Result<u64>;

    /// Reports how far a run is; refused silently if the run is not current. Best effort, the last one wins.
    async fn report(&self, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()>;

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>>;

    /// Finishes what is under way, at most `limit`, and closes.
    async fn close(&self, limit: Duration) -> Result<()>;
}

/// A run that may not be the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BeginRun {
    pub id: TaskId,
    pub attempt: u32,
}

/// The answer to a run that registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// Execute, under this number.
    Run(RunNumber),
    /// The task has ended: acknowledge.
    Ended,
    /// A later attempt is under way: acknowledge.
    Superseded,
}

/// The answer to a stored record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Accepted,
    /// Another run is current, or the task has ended. The delivery is released as interrupted, not acknowledged: the
    /// current run may have lost its lease before it registered.
    Stale,
}

/// The last progress of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    pub run: RunNumber,
    pub progress: Progress,
}
