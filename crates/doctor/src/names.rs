//! Does somebody know every task that waits?

use std::collections::{BTreeMap, BTreeSet};

use cardoon_broker::{Inspect, QueueStats};
use cardoon_errors::{Code, Error, Finding, Report, Result};

use crate::few;
use crate::look::Look;

/// Messages of each queue that are looked at, and queues.
const MESSAGES: usize = 100;
const QUEUES: usize = 20;

/// A name that no live worker of the queue knows.
struct Unknown<'a> {
    stats: &'a QueueStats,
    task: String,
    count: u64,
}

pub(crate) async fn report(look: &Look, inspect: &dyn Inspect, report: Report<'_>) -> Result<()> {
    let mut names = Vec::new();
    // Of a queue without workers that is told already.
    let attended = look.queues.iter().filter(|stats| stats.ready > 0 && look.is_attended(&stats.queue));
    for stats in attended.take(QUEUES) {
        let unknown = unknown(look, inspect, stats).await?.into_iter();
        names.extend(unknown.map(|(task, count)| Unknown { stats, task, count }));
    }
    few::report(&names, |name| nobody_knows(look, name), |names| further(look, names.len()), report);
    if names.is_empty() {
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

fn nobody_knows(look: &Look, name: &Unknown<'_>) -> Finding {
    let Unknown { stats: QueueStats { queue, .. }, task, count } = name;
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

fn further(look: &Look, count: usize) -> Finding {
    if look.strangers {
        return Finding::unchecked("task-names", format!("the same is true of further tasks: {count}"));
    }
    let message = format!("further tasks that no worker of their queues knows: {count}");
    let error = Error::new(Code::NoSuchTask, message).hint("look into a queue: cardoon queue peek QUEUE");
    Finding::error("task-names", error)
}
