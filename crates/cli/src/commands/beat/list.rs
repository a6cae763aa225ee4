use std::sync::Arc;

use cardoon_core::Timestamp;
use cardoon_errors::Result;
use cardoon_scheduler::{Entry, Schedule};
use cardoon_settings::show_duration;
use serde::Serialize;

use super::call::Call;
use super::periodic::Periodic;
use crate::output::{Output, Table, rfc3339};

/// Ticks of an entry that are shown.
const TICKS: usize = 3;

/// A periodic task, for programs.
#[derive(Debug, Serialize)]
struct Row<'a> {
    name: &'a str,
    task: &'a str,
    queue: &'a str,
    schedule: &'a Schedule,
    timezone: &'a str,
    next: Vec<String>,
    #[serde(skip)]
    shown: [String; TICKS],
}

/// Prints the periodic tasks and when they are sent next.
pub(super) fn print(output: &Output, periodic: &Periodic, now: Timestamp) -> Result<()> {
    let rows: Vec<Row<'_>> = periodic.entries.iter().map(|entry| row(entry, now)).collect();
    output.list(&rows, |rows| {
        let mut table = Table::new(&["NAME", "TASK", "SCHEDULE", "NEXT", "THEN", ""]);
        for row in rows {
            let [next, then, after] = &row.shown;
            table.row([row.name, row.task, &words(row.schedule, row.timezone), next, then, after]);
        }
        table
    })
}

fn row(entry: &Entry<Arc<Call>>, now: Timestamp) -> Row<'_> {
    let ticks: Vec<Timestamp> = entry.schedule.ticks_after(now, &entry.zone).take(TICKS).collect();
    let shown = |place: usize| ticks.get(place).map_or_else(String::new, |tick| entry.zone.show(*tick));
    Row {
        name: &entry.name,
        task: entry.task.task(),
        queue: entry.task.queue().as_str(),
        schedule: &entry.schedule,
        timezone: entry.zone.name(),
        next: ticks.iter().map(|tick| rfc3339(*tick)).collect(),
        shown: std::array::from_fn(shown),
    }
}

/// A schedule, for people.
fn words(schedule: &Schedule, zone: &str) -> String {
    match schedule {
        Schedule::Interval(interval) => format!("every {}", show_duration(interval.every())),
        Schedule::Crontab(crontab) => format!("{crontab} {zone}"),
    }
}
