use std::collections::HashSet;

use cardoon_broker::DeadFilter;
use cardoon_connect::Stores;
use cardoon_core::TaskId;
use cardoon_errors::Result;

/// Dead letters that are reopened and sent again at a time.
const PAGE: usize = 64;

/// Sends the dead letters that match now to their queues again; answers how many. Results that are kept elsewhere are told
/// before: a task that has ended there would not run.
pub async fn redrive(stores: &Stores, filter: &DeadFilter) -> Result<u64> {
    let letters = stores.broker.dead_letters();
    if stores.joined {
        return letters.redrive(filter).await;
    }
    let mut redriven = 0;
    for ids in matching(stores, filter).await?.chunks(PAGE) {
        // What somebody else has sent meanwhile may have ended well: its result stays.
        let ids = matching(stores, &DeadFilter { ids: ids.to_vec(), ..filter.clone() }).await?;
        if !ids.is_empty() {
            stores.results.reopen(&ids).await?;
            redriven += letters.redrive(&DeadFilter { ids, ..filter.clone() }).await?;
        }
    }
    Ok(redriven)
}

/// The tasks whose letters match now, each once. A task that dies again while the others are sent is not among the letters
/// of a later look, or this would never end.
async fn matching(stores: &Stores, filter: &DeadFilter) -> Result<Vec<TaskId>> {
    let letters = stores.broker.dead_letters().list(filter, usize::MAX).await?;
    let mut seen = HashSet::new();
    Ok(letters.into_iter().map(|letter| letter.message.id).filter(|id| seen.insert(id.clone())).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cardoon_broker::{ConsumeSpec, DeadLetter, Settle};
    use cardoon_core::lease::LeaseTerms;
    use cardoon_core::settle::Verdict;
    use cardoon_core::{DeadReason, Message, Priority, QueueName, Timestamp};
    use cardoon_runtime::Clock;
    use cardoon_testkit::RedisServer;
    use tokio::time::timeout;

    use super::*;

    const LIMIT: Duration = Duration::from_mins(1);

    fn letter(number: usize) -> DeadLetter {
        let id = format!("task-{number}");
        let message = Message {
            id: TaskId::new(&id).unwrap(),
            attempt: 0,
            task: "mail.send".into(),
            priority: Priority::HIGHEST,
            expires: None,
            content_type: "application/json".into(),
            content_encoding: "utf-8".into(),
            headers: format!(r#"{{"task":"mail.send","id":"{id}","retries":0}}"#).into(),
            body: "[[],{},{}]".into(),
        };
        DeadLetter {
            message,
            queue: QueueName::default_queue(),
            reason: DeadReason::Failed,
            detail: "it broke".into(),
            deaths: 0,
            died_at: Timestamp(number as i64),
        }
    }

    /// A worker whose tasks all fail at once.
    async fn fail_all(stores: &Stores) {
        let spec = ConsumeSpec {
            worker: "one".into(),
            queues: vec![QueueName::default_queue()],
            tasks: vec!["mail.send".into()],
            slots: PAGE as u32,
            terms: LeaseTerms::default(),
        };
        let worker = stores.broker.consume(spec).await.unwrap();
        loop {
            let taken = worker.claim(PAGE).await.unwrap();
            let verdict = || Verdict::Dead { reason: DeadReason::Failed, detail: "it broke again".into() };
            let settles = taken.iter().map(|delivery| Settle::bare(delivery.lease, verdict())).collect();
            for settled in worker.settle(settles).await {
                settled.unwrap();
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_results_elsewhere_a_task_that_dies_again_meanwhile_is_sent_once() {
        let (server, folder) = (RedisServer::start().await.unwrap(), cardoon_testkit::folder().unwrap());
        let results = format!("sqlite:{}", folder.path().join("results.db").display());
        let stores = cardoon_connect::connect(&server.url(), Some(&results), &Clock::real()).await.unwrap();
        let count = 3 * PAGE;
        stores.broker.dead_letters().bury((0..count).map(letter).collect()).await.unwrap();
        let all = DeadFilter::default();
        let redriven = tokio::select! {
            redriven = timeout(LIMIT, redrive(&stores, &all)) => redriven.expect("it does not end").unwrap(),
            () = fail_all(&stores) => 0,
        };
        assert_eq!(redriven, count as u64);
    }
}
