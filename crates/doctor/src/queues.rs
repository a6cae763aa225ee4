//! Does every queue in which tasks wait have a worker?

use cardoon_broker::QueueStats;
use cardoon_errors::{Code, Error, Finding, Report};
use cardoon_settings::show_duration;
use std::time::Duration;

use crate::look::Look;

/// More queues are not told of singly.
const MOST: usize = 10;

pub(crate) fn report(look: &Look, report: Report<'_>) {
    report(workers(look));
    let waiting = look.queues.iter().filter(|queue| queue.ready + queue.delayed > 0);
    let troubles: Vec<Finding> = waiting.filter_map(|queue| trouble(look, queue)).collect();
    if troubles.is_empty() {
        let waiting: u64 = look.queues.iter().map(|queue| queue.ready + queue.delayed).sum();
        report(Finding::fine(
            "queues",
            format!("every queue in which tasks wait has a worker; tasks that wait: {waiting}"),
        ));
    }
    troubles.into_iter().take(MOST).for_each(report);
}

fn workers(look: &Look) -> Finding {
    let names: Vec<&str> = look.living.iter().map(|member| member.worker.as_str()).collect();
    match names.len() {
        0 => Finding::fine("alive", "no worker of Cardoon is alive"),
        count => Finding::fine("alive", format!("workers that are alive: {count} ({})", shown(&names))),
    }
}

fn shown(names: &[&str]) -> String {
    let more = if names.len() > MOST { ", …" } else { "" };
    names[..names.len().min(MOST)].join(", ") + more
}

/// What keeps the tasks of a queue waiting.
fn trouble(look: &Look, stats: &QueueStats) -> Option<Finding> {
    let queue = &stats.queue;
    let counted = |error: Error| {
        let error = error.checked(format!("ready: {}, delayed: {}", stats.ready, stats.delayed));
        match stats.oldest {
            Some(oldest) => error.checked(format!("the oldest has waited for {}", coarse(oldest))),
            None => error,
        }
    };
    if stats.paused {
        let error = Error::new(Code::QueuePaused, format!("tasks wait in the paused queue {queue}"));
        let error = counted(error).hint(format!("cardoon queue resume {queue}"));
        return Some(Finding::warning("queues", error));
    }
    if look.is_attended(queue) {
        return None;
    }
    if look.strangers {
        let why = format!(
            "no worker of Cardoon takes from queue {queue}; whether one of Celery does, the server does not tell"
        );
        return Some(Finding::unchecked("queues", why));
    }
    let error =
        Error::new(Code::NoWorker, format!("tasks wait in queue {queue}, and no worker takes from it"));
    let error = look.living.iter().take(MOST).fold(counted(error), |error, member| {
        let queues: Vec<&str> = member.queues.iter().map(cardoon_core::QueueName::as_str).collect();
        error.checked(format!("worker {} takes from: {}", member.worker, shown(&queues)))
    });
    Some(Finding::error("queues", error.hint(format!("start one: cardoon worker -A tasks --queues {queue}"))))
}

/// Without what is smaller than a second.
fn coarse(duration: Duration) -> String {
    show_duration(Duration::from_secs(duration.as_secs()))
}
