//! Readers of events on a gateway: what does the worker pay for them?

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::http::Readers;
use crate::page::{Row, rate};
use crate::process::WorkerProcess;
use crate::rows::redis::SLOTS;
use crate::rows::redis::open_loop::is_joined;
use crate::rows::sqlite::open_loop::arrive;
use crate::sides::cardoon_command::Gateway;
use crate::stopwatch::{self, Stopwatch};
use crate::stores::redis::{Places, Stage, add_noops, close};
use cardoon_bench_common::median;

/// How many there are, one side after the other.
const SIDES: [usize; 3] = [0, 1, 200];
/// Percent that 200 readers may cost more than none.
const MOST: f64 = 3.0;

/// No-ops of a drain. The first part of them is not counted.
const TASKS: usize = 200_000;
const COUNTED: usize = 180_000;

/// Tasks a second of a load that leaves the worker idle most of the time.
const STEADY: f64 = 2000.0;
const STEADY_SECS: u64 = 6;
const WARM_UP_SECS: u64 = 1;

/// What a worker used while it executed tasks.
struct Use {
    /// Processor time for each.
    micros: f64,
    per_sec: f64,
}

/// The uses of one side, a turn each.
#[derive(Default)]
struct Side(Vec<Use>);

/// What the worker has to do.
#[derive(Clone, Copy)]
enum Load {
    Drain,
    Steady,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for load in [Load::Drain, Load::Steady] {
        let mut sides = SIDES.map(|_| Side::default());
        for _ in 0..runs {
            for (readers, side) in SIDES.iter().zip(&mut sides) {
                side.0.push(load.once(stage, *readers).await?);
            }
        }
        rows.push(load.row(&sides));
    }
    Ok(rows)
}

impl Load {
    async fn once(self, stage: &Stage, readers: usize) -> Result<Use> {
        stage.clear().await?;
        let gateway = Gateway::start(&stage.url())?;
        let joined = Readers::join(gateway.address(), readers).await?;
        let before = joined.bytes();
        let used = match self {
            Self::Drain => drain(stage).await?,
            Self::Steady => steady(stage).await?,
        };
        ensure!(readers == 0 || joined.bytes() > before, "the readers were told nothing");
        Ok(used)
    }

    fn row(self, [without, one, all]: &[Side; 3]) -> Row {
        let more = all.more_than(without);
        let what = match self {
            Self::Drain => "a worker drains 200,000 no-ops from Redis, results stored",
            Self::Steady => "a worker with 64 slots is given 2000 tasks of 1 ms a second",
        };
        Row {
            measure: format!(
                "{what}, while 200 read `GET /api/v1/events`: its processor time for each task / tasks it ends"
            ),
            cardoon: format!(
                "{} ({more:+.1} %); one reader: {} ({:+.1} %)",
                all.told(),
                one.told(),
                one.more_than(without)
            ),
            beside: format!("without readers: {}", without.told()),
            goal: format!("< {MOST:.0} % more processor time"),
            is_met: Some(more < MOST),
        }
    }
}

impl Side {
    /// The percentage is found turn by turn: what else happens on the machine changes less within one.
    fn more_than(&self, other: &Self) -> f64 {
        let turns = self.0.iter().zip(&other.0);
        median(turns.map(|(ours, theirs)| (ours.micros / theirs.micros - 1.0) * 100.0).collect())
    }

    fn told(&self) -> String {
        let micros = median(self.0.iter().map(|used| used.micros).collect());
        let per_sec = median(self.0.iter().map(|used| used.per_sec).collect());
        format!("{micros:.1} µs / {}", rate(per_sec))
    }
}

async fn drain(stage: &Stage) -> Result<Use> {
    let app = stage.app().await?;
    add_noops(&app, TASKS, false, None).await?;
    let (mut eye, places) = (stage.eye()?, Places::of_cardoon(None));
    let worker = WorkerProcess::start_with(&stage.url(), "bench", SLOTS, &[])?;
    let begin = stopwatch::poll("the first tasks", Duration::from_millis(2), || {
        let left = eye.left(&places)?.total();
        Ok((left <= COUNTED as u64).then_some(left))
    })?;
    let (watch, before) = (Stopwatch::start(), worker.processor_secs()?);
    eye.drained(&places)?;
    let used = Use::of(begin as f64, worker.processor_secs()? - before, watch.secs());
    worker.end()?;
    close(app).await?;
    Ok(used)
}

async fn steady(stage: &Stage) -> Result<Use> {
    let app = stage.app().await?;
    let worker = WorkerProcess::start_with(&stage.url(), "bench", SLOTS, &[])?;
    is_joined(&mut stage.eye()?)?;
    arrive(&app, STEADY, WARM_UP_SECS).await?;
    let (watch, before) = (Stopwatch::start(), worker.processor_secs()?);
    let arrived = arrive(&app, STEADY, STEADY_SECS).await?;
    let used = Use::of(arrived as f64, worker.processor_secs()? - before, watch.secs());
    worker.end()?;
    close(app).await?;
    Ok(used)
}

impl Use {
    fn of(tasks: f64, processor_secs: f64, secs: f64) -> Self {
        Self { micros: processor_secs / tasks * 1e6, per_sec: tasks / secs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_compared_turn_by_turn() {
        let side = |micros: [f64; 3]| Side(micros.map(|micros| Use { micros, per_sec: 1.0 }).into());
        // While others used the machine, both sides were slower.
        let (without, all) = (side([10.0, 20.0, 10.0]), side([10.2, 20.6, 10.1]));
        assert!((all.more_than(&without) - 2.0).abs() < 0.01, "{}", all.more_than(&without));
    }
}
