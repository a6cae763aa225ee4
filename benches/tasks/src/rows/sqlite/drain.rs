//! One worker process empties a queue of no-ops; beside it the same SQL in a bare loop, and huey.

use anyhow::Result;

use crate::page::{Row, percent, rate};
use crate::process::WorkerProcess;
use crate::sides::{bare_sqlite as bare, huey, peer};
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

pub(crate) const TASKS: usize = 20_000;
/// Fewer, as huey needs a commit of its own to enqueue each; its rate does not depend on the number.
const TASKS_OF_HUEY: usize = 5_000;
pub(crate) const SLOTS: u32 = 8;

pub(crate) struct Drain {
    cardoon: f64,
    bare_64: f64,
    bare_256: f64,
    /// Or why there is none.
    huey: Result<f64, String>,
}

pub(crate) async fn measure(runs: usize) -> Result<Drain> {
    let absent = huey::install().map_err(|error| peer::absent(&huey::name(), &error));
    let [mut cardoon, mut bare_64, mut bare_256, mut hueys] = [const { Vec::new() }; 4];
    for _ in 0..runs {
        cardoon.push(once(1).await?.0);
        bare_64.push(bare_drain(64).await?);
        bare_256.push(bare_drain(256).await?);
        if absent.is_ok() {
            hueys.push(huey::drain(TASKS_OF_HUEY)?);
        }
    }
    let [cardoon, bare_64, bare_256] = [cardoon, bare_64, bare_256].map(median);
    Ok(Drain { cardoon, bare_64, bare_256, huey: absent.map(|()| median(hueys)) })
}

/// The rate of `processes` workers together, and the share of the slowest.
pub(crate) async fn once(processes: usize) -> Result<(f64, f64)> {
    let tasks = TASKS * processes;
    let fixture = Fixture::of_noops(tasks).await?;
    let ends = fixture.ends()?;
    let start = |index: usize| WorkerProcess::start(&fixture.url(), &format!("w{index}"), SLOTS);
    let workers = (0..processes).map(start).collect::<Result<Vec<_>>>()?;
    let together = ends.rate(0, tasks as u64)?;
    let counts = ends.by_worker(0)?;
    let least =
        if counts.len() < processes { 0 } else { counts.iter().map(|(_, count)| *count).min().unwrap_or(0) };
    workers.into_iter().try_for_each(WorkerProcess::end)?;
    fixture.close().await?;
    Ok((together, least as f64 / tasks as f64))
}

async fn bare_drain(batch: usize) -> Result<f64> {
    let fixture = Fixture::of_noops(TASKS).await?;
    let database = fixture.database();
    let rate = bare::drain(&database, TASKS, batch)?;
    fixture.close().await?;
    Ok(rate)
}

impl Drain {
    pub(crate) fn rate(&self) -> f64 {
        self.cardoon
    }

    pub(crate) fn rows(&self) -> Vec<Row> {
        let of_bare = self.cardoon / self.bare_64;
        vec![
            Row {
                measure: "drain 20,000 prefilled no-ops, `synchronous=FULL`, results and history stored, events on, one worker process".into(),
                cardoon: format!("{}; {} of the bare loop at 64, {} at 256", rate(self.cardoon), percent(of_bare), percent(self.cardoon / self.bare_256)),
                beside: format!("bare loop of the same SQL: {} at batch 64, {} at 256", rate(self.bare_64), rate(self.bare_256)),
                goal: ">= 45 % of the bare loop".into(),
                is_met: Some(self.cardoon >= 0.45 * self.bare_64.max(self.bare_256)),
            },
            self.beside_huey(),
        ]
    }

    fn beside_huey(&self) -> Row {
        let measure = "the same, beside huey on SQLite (2 processes, no acknowledgement)";
        match &self.huey {
            Err(why) => Row::unmeasured(measure, why.clone()),
            Ok(huey) => Row {
                measure: measure.into(),
                cardoon: format!("{:.1} times huey", self.cardoon / huey),
                beside: format!("{}: {}", huey::name(), rate(*huey)),
                goal: ">= 4 times".into(),
                is_met: Some(self.cardoon >= 4.0 * huey),
            },
        }
    }
}
