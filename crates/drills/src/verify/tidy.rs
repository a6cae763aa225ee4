//! Leaving a store as it was found: only what a verification has put there is touched.

use std::sync::Arc;
use std::time::Duration;

use cardoon::Stores;
use cardoon_broker::{ConsumeSpec, Consumer, DeadFilter, Delivery, Settle};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::Verdict;
use cardoon_core::{QueueName, TaskFilter, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;

/// What dead workers held comes back within the lease at the latest.
const LIMIT: Duration = Duration::from_secs(40);
/// How long a claim waits for what may have come back.
const CLAIM: Duration = Duration::from_millis(100);
const BATCH: usize = 256;

/// Removes all messages of a queue: those that wait, those that dead workers held, and its dead letters.
pub(super) async fn empty(stores: &Stores, queue: &QueueName, clock: &Clock) -> Result<()> {
    stores.broker.control().resume(queue).await?;
    let spec = ConsumeSpec {
        worker: "verify-tidy".into(),
        queues: vec![queue.clone()],
        tasks: Vec::new(),
        slots: 1,
        terms: LeaseTerms::default(),
    };
    let consumer = stores.broker.consume(spec).await?;
    let emptied = take_all(stores, &consumer, queue, clock).await;
    consumer.close().await?;
    emptied?;
    let buried = DeadFilter { queue: Some(queue.clone()), ..DeadFilter::default() };
    stores.broker.dead_letters().purge(&buried).await.map(drop)
}

/// Deletes the results of these tasks.
pub(super) async fn forget(stores: &Stores, ids: &[TaskId]) -> Result<()> {
    for ids in ids.chunks(BATCH) {
        stores.results.forget(ids).await?;
    }
    Ok(())
}

/// Deletes the results of all tasks that went through a queue, as far as the store knows which did.
pub(super) async fn forget_queue(stores: &Stores, queue: &QueueName) -> Result<()> {
    let filter = TaskFilter { queue: Some(queue.clone()), ..TaskFilter::default() };
    let mut after = None;
    loop {
        let page = stores.results.list(&filter, after.as_ref(), BATCH).await?;
        let ids: Vec<_> = page.items.into_iter().map(|record| record.id).collect();
        forget(stores, &ids).await?;
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// Whether nothing waits in a queue and nobody holds anything of it.
pub(super) async fn is_empty(stores: &Stores, queue: &QueueName) -> Result<bool> {
    let queues = stores.broker.inspect().queues().await?;
    let stats = queues.iter().find(|stats| stats.queue == *queue);
    Ok(stats.is_none_or(|stats| stats.ready + stats.delayed + stats.held == 0))
}

async fn take_all(
    stores: &Stores,
    consumer: &Arc<dyn Consumer>,
    queue: &QueueName,
    clock: &Clock,
) -> Result<()> {
    let end = clock.boot().plus(LIMIT);
    while clock.boot() < end {
        beat(consumer).await?;
        consumer.sweep().await?;
        let mut taken = claim(consumer, clock).await?;
        taken.extend(consumer.claim_delayed(BATCH).await?.into_iter().map(|(delivery, _)| delivery));
        if taken.is_empty() && is_empty(stores, queue).await? {
            return Ok(());
        }
        let acks = taken.iter().map(|delivery| Settle::bare(delivery.lease, Verdict::Ack)).collect();
        for settled in consumer.settle(acks).await {
            settled?;
        }
    }
    Err(Error::new(Code::DrillFailed, format!("the queue {queue} of the verification cannot be emptied"))
        .checked("somebody still holds messages of it")
        .hint(format!("cardoon queue purge {queue} --yes")))
}

/// A heartbeat may block.
async fn beat(consumer: &Arc<dyn Consumer>) -> Result<()> {
    let consumer = Arc::clone(consumer);
    let beat = tokio::task::spawn_blocking(move || consumer.heartbeat().map(drop)).await;
    beat.map_err(|error| Error::new(Code::Internal, "a heartbeat was broken off").source(error))?
}

async fn claim(consumer: &Arc<dyn Consumer>, clock: &Clock) -> Result<Vec<Delivery>> {
    tokio::select! {
        claimed = consumer.claim(BATCH) => claimed,
        () = clock.sleep(CLAIM) => Ok(Vec::new()),
    }
}
