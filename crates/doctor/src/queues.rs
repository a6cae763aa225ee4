//! Does every queue in which tasks wait have a worker?

use cardoon_broker::QueueStats;
use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Finding, Report};
use cardoon_settings::show_duration;
use std::time::Duration;

use crate::few;
use crate::look::Look;

/// Workers and queues that are named in one line.
const MOST: usize = 10;

/// What keeps the tasks of a queue waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    NoWorker,
    Paused,
    /// No worker of ours takes from it, and one of another system may.
    Strangers,
}

pub(crate) fn report(look: &Look, report: Report<'_>) {
    report(workers(look));
    let waiting: Vec<&QueueStats> =
        look.queues.iter().filter(|queue| queue.ready + queue.delayed > 0).collect();
    let mut is_well = true;
    for kind in [Trouble::NoWorker, Trouble::Paused, Trouble::Strangers] {
        let in_trouble = waiting.iter().filter(|queue| trouble(look, queue) == Some(kind));
        let queues: Vec<&QueueStats> = in_trouble.copied().collect();
        is_well &= queues.is_empty();
        few::report(&queues, |queue| singly(look, kind, queue), |queues| together(kind, queues), report);
    }
    if is_well {
        let waiting: u64 = waiting.iter().map(|queue| queue.ready + queue.delayed).sum();
        report(Finding::fine(
            "queues",
            format!("every queue in which tasks wait has a worker; tasks that wait: {waiting}"),
        ));
    }
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

fn trouble(look: &Look, stats: &QueueStats) -> Option<Trouble> {
    if stats.paused {
        Some(Trouble::Paused)
    } else if look.is_attended(&stats.queue) {
        None
    } else if look.strangers {
        Some(Trouble::Strangers)
    } else {
        Some(Trouble::NoWorker)
    }
}

fn singly(look: &Look, trouble: Trouble, stats: &QueueStats) -> Finding {
    let queue = &stats.queue;
    let counted = |error: Error| {
        let error = error.checked(format!("ready: {}, delayed: {}", stats.ready, stats.delayed));
        match stats.oldest {
            Some(oldest) => error.checked(format!("the oldest has waited for {}", coarse(oldest))),
            None => error,
        }
    };
    match trouble {
        Trouble::Paused => {
            let error = Error::new(Code::QueuePaused, format!("tasks wait in the paused queue {queue}"));
            Finding::warning("queues", counted(error).hint(format!("cardoon queue resume {queue}")))
        }
        Trouble::Strangers => Finding::unchecked(
            "queues",
            format!(
                "no worker of Cardoon takes from queue {queue}; whether one of Celery does, the server does not tell"
            ),
        ),
        Trouble::NoWorker => {
            let message = format!("tasks wait in queue {queue}, and no worker takes from it");
            let error = look.living.iter().take(MOST).fold(
                counted(Error::new(Code::NoWorker, message)),
                |error, member| {
                    let queues: Vec<&str> = member.queues.iter().map(QueueName::as_str).collect();
                    error.checked(format!("worker {} takes from: {}", member.worker, shown(&queues)))
                },
            );
            let start = format!("start one: cardoon worker -A tasks --queues {queue}");
            Finding::error("queues", error.hint(start))
        }
    }
}

/// Further queues in the same trouble.
fn together(trouble: Trouble, queues: &[&QueueStats]) -> Finding {
    let count = queues.len();
    let told = |code, message| {
        let names: Vec<&str> = queues.iter().map(|stats| stats.queue.as_str()).collect();
        let error = Error::new(code, message).checked(format!("queues: {}", shown(&names)));
        error.hint("see them all: cardoon queue list")
    };
    match trouble {
        Trouble::Paused => {
            let message = format!("tasks wait in further paused queues: {count}");
            Finding::warning("queues", told(Code::QueuePaused, message))
        }
        Trouble::Strangers => Finding::unchecked(
            "queues",
            format!("the same is true of further queues: {count}; see them all: cardoon queue list"),
        ),
        Trouble::NoWorker => {
            let message = format!("tasks wait in further queues, and no worker takes from them: {count}");
            Finding::error("queues", told(Code::NoWorker, message))
        }
    }
}

/// Without what is smaller than a second.
fn coarse(duration: Duration) -> String {
    show_duration(Duration::from_secs(duration.as_secs()))
}
