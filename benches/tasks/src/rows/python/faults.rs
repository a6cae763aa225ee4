//! Children that are killed, by others and by time limits: how soon do the tasks behind them run?

use anyhow::Result;

use crate::page::Row;
use crate::sides::cardoon_python::Package;
use crate::sides::celery::{Celery, How};
use crate::sides::peer::{self, Peer};
use crate::stores::redis::Stage;
use crate::stores::temporary_folder;

/// Each run, of ours and of Celery, which takes seconds for each.
const COUNTS: [usize; 2] = [60, 10];

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let (ours, celery) = (package.worker("-c 1"), Celery::new(How::Late(1), false));
    let absent = celery.install().map_err(|error| peer::absent(&celery.name(), &error));
    let [mut kills, mut their_kills] = [const { Vec::new() }; 2];
    let [mut limits, mut their_limits] = [const { Vec::new() }; 2];
    for _ in 0..runs {
        kills.extend(once::<1>(stage, &ours, "kill", COUNTS[0]).await?);
        limits.extend(once::<2>(stage, &ours, "limit", COUNTS[0]).await?);
        if absent.is_ok() {
            their_kills.extend(once::<1>(stage, &celery, "kill", COUNTS[1]).await?);
            their_limits.extend(once::<2>(stage, &celery, "limit", COUNTS[1]).await?);
        }
    }
    let title = peer::title(&celery);
    let told = |theirs: String| absent.clone().map_or_else(|why| why, |()| format!("{title}: {theirs}"));
    Ok(vec![
        Row {
            measure: "a child is killed in a long task, `-c 1`: until the 4 tasks behind it have run, p50 / p99".into(),
            cardoon: one(&kills),
            beside: told(one(&their_kills)),
            goal: "p99 <= 10 ms".into(),
            is_met: Some(Spread::of(&kills, 0).p99 <= 10.0),
        },
        Row {
            measure: "a task in an endless loop meets its limit of 300 ms, `-c 1`: over the limit until its process is gone, p50 / p99; until the next task runs".into(),
            cardoon: both(&limits),
            beside: told(both(&their_limits)),
            goal: "p99 until it is gone <= 20 ms".into(),
            is_met: Some(Spread::of(&limits, 0).p99 <= 20.0),
        },
    ])
}

async fn once<const N: usize>(
    stage: &Stage,
    peer: &dyn Peer,
    what: &str,
    count: usize,
) -> Result<Vec<[f64; N]>> {
    stage.clear().await?;
    let folder = temporary_folder()?;
    let notes = folder.path().join("notes");
    let mut program = peer.sender(&stage.url())?;
    program.arg(what).arg(count.to_string()).env("BENCH_NOTES", &notes);
    let mut workers = peer.workers(&stage.url())?;
    for worker in &mut workers {
        worker.env("BENCH_NOTES", &notes);
    }
    peer::numbers(peer, workers, &mut program)
}

/// The middle and the end of many times, in milliseconds.
struct Spread {
    p50: f64,
    p99: f64,
    count: usize,
}

impl Spread {
    /// Of the numbers in this column.
    fn of<const N: usize>(lines: &[[f64; N]], column: usize) -> Self {
        let mut times: Vec<f64> = lines.iter().map(|line| line[column]).collect();
        times.sort_by(f64::total_cmp);
        let at = |place: usize| times.get(place).copied().unwrap_or(f64::NAN);
        Self { p50: at(times.len() / 2), p99: at(times.len() * 99 / 100), count: times.len() }
    }

    fn told(&self) -> String {
        format!("{:.1} / {:.1} ms", self.p50, self.p99)
    }
}

fn one(kills: &[[f64; 1]]) -> String {
    let spread = Spread::of(kills, 0);
    format!("{} of {}", spread.told(), spread.count)
}

fn both(limits: &[[f64; 2]]) -> String {
    let (gone, next) = (Spread::of(limits, 0), Spread::of(limits, 1));
    format!("{}; {} of {}", gone.told(), next.told(), gone.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_or_fewer_the_slowest_is_the_99th_percentile() {
        let times: Vec<[f64; 1]> = (1..=90).rev().map(|time| [f64::from(time)]).collect();
        assert_eq!(Spread::of(&times, 0).told(), "46.0 / 90.0 ms");
    }
}
