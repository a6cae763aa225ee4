//! What has ended: dead letters, which move, and results, which are copied.

use cardoon_broker::{Broker, DeadFilter};
use cardoon_core::{QueueName, ResultRecord, RunNumber, TaskFilter, TaskId};
use cardoon_errors::Result;
use cardoon_results::Stored;

use super::is_chosen;
use crate::stores::Stores;

/// Dead letters, or results, that are moved in one step.
const PAGE: usize = 64;

/// Moves the dead letters of a queue: buries them in the target, then deletes them in the source. Answers how many.
pub(super) async fn move_dead(source: &dyn Broker, target: &dyn Broker, queue: &QueueName) -> Result<u64> {
    let filter = DeadFilter { queue: Some(queue.clone()), ..DeadFilter::default() };
    let mut moved = 0;
    loop {
        let page = source.dead_letters().list(&filter, PAGE).await?;
        let ids: Vec<TaskId> = page.into_iter().map(|letter| letter.message.id).collect();
        if ids.is_empty() {
            return Ok(moved);
        }
        // A task may have more letters than those of the page, and all of them are deleted.
        let of_these = DeadFilter { ids, ..filter.clone() };
        let mut letters = source.dead_letters().list(&of_these, usize::MAX).await?;
        letters.reverse();
        target.dead_letters().bury(letters).await?;
        match source.dead_letters().purge(&of_these).await? {
            0 => return Ok(moved),
            purged => moved += purged,
        }
    }
}

/// Copies the results of tasks that have ended. Answers how many the target did not have.
pub(super) async fn copy_results(source: &Stores, target: &Stores, queues: &[QueueName]) -> Result<u64> {
    let (mut copied, mut after) = (0, None);
    loop {
        // As much as the source gives in one go: one without an index looks at everything for each page.
        let listed = source.results.list(&TaskFilter::default(), after.as_ref(), usize::MAX).await?;
        let mut ended = listed.items;
        ended.retain(|record| record.state.is_final() && is_chosen(queues, &record.queue));
        for page in ended.chunks(PAGE) {
            for stored in target.results.store(page.iter().cloned().map(as_only_run).collect()).await {
                copied += u64::from(stored? == Stored::Accepted);
            }
        }
        after = listed.next;
        if after.is_none() {
            return Ok(copied);
        }
    }
}

/// The target has heard of no run of the task, so whichever it was counts as the first.
fn as_only_run(record: ResultRecord) -> ResultRecord {
    ResultRecord { run: RunNumber::FIRST, ..record }
}
