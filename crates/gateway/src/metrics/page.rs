use std::fmt::{Display, Write as _};

use cardoon_broker::{Member, QueueStats};
use cardoon_connect::Stores;
use cardoon_errors::Result;

use super::Meter;

/// Queues and workers that have series of their own, by name.
const MOST: usize = 500;

/// A page in the text format of Prometheus.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// All numbers as they are now.
pub(crate) async fn page(stores: &Stores, meter: &Meter) -> Result<String> {
    let queues = stores.broker.inspect().queues().await?;
    let members = stores.broker.inspect().members().await?;
    let mut page = Page::default();
    meter.write(&mut page);
    queues_of(&mut page, &queues);
    workers_of(&mut page, &members);
    Ok(page.finish())
}

fn queues_of(page: &mut Page, queues: &[QueueStats]) {
    let queues = &queues[..queues.len().min(MOST)];
    page.family("cardoon_queue_depth", "gauge", "Messages of a queue, by where they are.");
    for stats in queues {
        let places =
            [("ready", stats.ready), ("delayed", stats.delayed), ("held", stats.held), ("dead", stats.dead)];
        for (place, count) in places {
            page.sample("cardoon_queue_depth", &[("queue", stats.queue.as_str()), ("place", place)], count);
        }
    }
    let about = "How long the oldest ready message of a queue has waited.";
    page.family("cardoon_queue_oldest_age_seconds", "gauge", about);
    for stats in queues {
        let age = stats.oldest.unwrap_or_default().as_secs_f64();
        page.sample("cardoon_queue_oldest_age_seconds", &[("queue", stats.queue.as_str())], age);
    }
    page.family("cardoon_queue_paused", "gauge", "Whether a queue is paused.");
    for stats in queues {
        let paused = u8::from(stats.paused);
        page.sample("cardoon_queue_paused", &[("queue", stats.queue.as_str())], paused);
    }
}

/// Workers of one name are told apart by nobody, so they count together.
fn workers_of(page: &mut Page, members: &[Member]) {
    let mut names: Vec<&str> = members.iter().map(|member| member.worker.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.truncate(MOST);
    let mut family = |name: &str, about: &str, value: fn(&Member) -> u64| {
        page.family(name, "gauge", about);
        for worker in &names {
            let of_name = members.iter().filter(|member| member.worker == *worker);
            page.sample(name, &[("worker", worker)], of_name.map(value).sum::<u64>());
        }
    };
    family("cardoon_worker_up", "Live workers of a name.", |_| 1);
    family("cardoon_worker_slots", "How many tasks a worker executes at once.", |member| member.slots.into());
    family("cardoon_worker_slots_busy", "Slots of a worker that are taken.", |member| {
        member.held.min(member.slots.into())
    });
}

impl Page {
    pub(super) fn family(&mut self, name: &str, kind: &str, about: &str) {
        let _ = writeln!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}");
    }

    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (place, (label, text)) in labels.iter().enumerate() {
            let open = if place == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{open}{label}=\"{}\"", escaped(text));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{close} {value}");
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_of_a_label_breaks_its_line() {
        let mut page = Page::default();
        page.sample("m", &[("task", "a\"b\\c\nd")], 1);
        assert_eq!(page.finish(), "m{task=\"a\\\"b\\\\c\\nd\"} 1\n");
    }
}
