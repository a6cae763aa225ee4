//! Does somebody know every task that waits?

use std::collections::{BTreeMap, BTreeSet};

use cardoon_broker::{Inspect, QueueStats};
use cardoon_errors::{Code, Error, Finding, Report, Result};

use crate::look::Look;

/// Messages of each queue that are looked at, queues, and names that are told of.
const MESSAGES: usize = 100;
const QUEUES: usize = 20;
const NAMES: usize = 5;

pub(crate) async fn report(look: &Look, inspect: &dyn Inspect, report: Report<'_>) -> Result<()> {
    let mut is_all_known = true;
    // Of a queue without workers that is told already.
    let attended = look.queues.iter().filter(|stats| stats.ready > 0 && look.is_attended(&stats.queue));
    for stats in attended.take(QUEUES) {
        for (task, count) in unknown(look, inspect, stats).await?.into_iter().take(NAMES) {
            is_all_known = false;
            report(nobody_knows(look, stats, &task, count));
        }
    }
    if is_all_known {
        report(Finding::fine("task-names", "no task waits that its workers do not know"));
    }
    Ok(())
}

/// The names among the first messages that no live worker of the queue knows, with their counts.
async fn unknown(look: &Look, inspect: &dyn Inspect, stats: &QueueStats) -> Result<BTreeMap<String, u64>> {
    let known: BTreeSet<&str> =
        look.workers_of(&stats.queue).flat_map(|member| member.tasks.iter().map(String::as_str)).collect();
    let mut unknown = BTreeMap::new();
    for waiting in inspect.peek(&stats.queue, MESSAGES).await? {
        if !known.contains(waiting.message.task.as_str()) {
            *unknown.entry(waiting.message.task.clone()).or_default() += 1;
        }
    }
    Ok(unknown)
}

fn nobody_knows(look: &Look, stats: &QueueStats, task: &str, count: u64) -> Finding {
    let queue = &stats.queue;
    if look.strangers {
        let why = format!("no worker of Cardoon on queue {queue} knows the task {task}; one of Celery may");
        return Finding::unchecked("task-names", why);
    }
    let workers: Vec<&str> = look.workers_of(queue).map(|member| member.worker.as_str()).collect();
    let error = Error::new(Code::NoSuchTask, format!("no worker of queue {queue} knows the task {task}"))
        .checked(format!("such tasks among the first {MESSAGES}: {count}"))
        .checked(format!("workers of the queue: {}", workers.join(", ")))
        .hint(format!(
            "correct the name, or start a worker that has it: cardoon worker -A tasks --queues {queue}"
        ));
    Finding::error("task-names", error)
}
