//! What is there now, once: for programs, and for people without a terminal.

use std::time::Duration;

use cardoon_admin::view::QueueLine;
use cardoon_broker::Member;
use cardoon_errors::{Language, Result};
use serde::Serialize;

use super::model::{Snapshot, busy};
use crate::output::{Table, ago, rfc3339, word};
use crate::session::Session;

#[derive(Serialize)]
struct Item {
    at: String,
    queues: Vec<QueueLine>,
    workers: Vec<WorkerItem>,
}

#[derive(Serialize)]
struct WorkerItem {
    worker: String,
    pid: u32,
    slots: u32,
    busy: u64,
    held: u64,
    queues: Vec<String>,
    since: String,
    heartbeat_age_ms: u64,
    version: String,
}

pub(super) fn print(session: &Session, snapshot: &Snapshot) -> Result<()> {
    let item = Item {
        at: rfc3339(session.clock.now()),
        queues: snapshot.queues.iter().map(QueueLine::of).collect(),
        workers: snapshot.workers.iter().map(WorkerItem::of).collect(),
    };
    session.output.one(&item, |item| item.text(session.language))
}

impl WorkerItem {
    fn of(member: &Member) -> Self {
        Self {
            worker: member.worker.clone(),
            pid: member.pid,
            slots: member.slots,
            busy: busy(member),
            held: member.held,
            queues: member.queues.iter().map(ToString::to_string).collect(),
            since: rfc3339(member.since),
            heartbeat_age_ms: member.heartbeat_age.as_millis() as u64,
            version: member.version.clone(),
        }
    }
}

impl Item {
    fn text(&self, language: Language) -> String {
        format!("{}\n\n{}", self.queues(language), self.workers(language))
    }

    fn queues(&self, language: Language) -> String {
        let mut table = Table::new(&["QUEUE", "READY", "DELAYED", "HELD", "DEAD", "OLDEST", "WORKERS", ""]);
        for column in 1..=6 {
            table = table.right(column);
        }
        for queue in &self.queues {
            let counts = [queue.ready, queue.delayed, queue.held, queue.dead].map(|count| count.to_string());
            let oldest = queue.oldest_ms.map(|millis| ago(Duration::from_millis(millis))).unwrap_or_default();
            let paused = if queue.paused { word(language, "paused") } else { "" };
            let cells = std::iter::once(queue.queue.clone()).chain(counts);
            table.row(cells.chain([oldest, queue.workers.to_string(), paused.to_owned()]));
        }
        table.render(language)
    }

    fn workers(&self, language: Language) -> String {
        let mut table =
            Table::new(&["WORKER", "BUSY", "QUEUES", "PID", "HEARTBEAT", "VERSION"]).right(1).right(3);
        for worker in &self.workers {
            table.row([
                worker.worker.clone(),
                format!("{}/{}", worker.busy, worker.slots),
                worker.queues.join(","),
                worker.pid.to_string(),
                ago(Duration::from_millis(worker.heartbeat_age_ms)),
                worker.version.clone(),
            ]);
        }
        table.render(language)
    }
}
