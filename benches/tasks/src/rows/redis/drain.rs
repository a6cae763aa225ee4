//! One worker process empties a queue of no-ops; beside it the same commands in a bare loop.

use anyhow::Result;

use super::{SLOTS, TASKS};
use crate::page::{Row, percent, rate};
use crate::process::WorkerProcess;
use crate::sides::bare_redis;
use crate::stores::redis::{Places, Stage, add_noops, close};
use cardoon_bench_common::median;

/// Batches of the bare loop; the best one counts.
pub(super) const BATCHES: [usize; 3] = [64, 128, 256];

/// With results or without.
struct Drain {
    ignore_result: bool,
    cardoon: f64,
    /// In the order of [`BATCHES`].
    bare: Vec<f64>,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ignore_result in [false, true] {
        rows.push(Drain::measure(stage, runs, ignore_result).await?.row());
    }
    Ok(rows)
}

/// The rate of one worker process.
pub(crate) async fn once(stage: &Stage, ignore_result: bool) -> Result<f64> {
    stage.clear().await?;
    let app = stage.app().await?;
    add_noops(&app, TASKS, ignore_result, None).await?;
    let (mut eye, places) = (stage.eye()?, Places::of_cardoon(None));
    let before = eye.left(&places)?;
    let worker = WorkerProcess::start_with(&stage.url(), "bench", SLOTS, &[])?;
    let rate = eye.rate(&places, before, TASKS as u64)?;
    worker.end()?;
    close(app).await?;
    Ok(rate)
}

pub(super) async fn bare(stage: &Stage, batch: usize, ignore_result: bool) -> Result<f64> {
    stage.clear().await?;
    let app = stage.app().await?;
    add_noops(&app, TASKS, ignore_result, None).await?;
    close(app).await?;
    let ids = bare_redis::waiting(&mut stage.eye()?)?;
    bare_redis::drain(&stage.url(), &ids, batch, !ignore_result)
}

/// How a row names what becomes of results.
pub(crate) fn results(ignore_result: bool) -> &'static str {
    if ignore_result { "results ignored" } else { "results stored" }
}

impl Drain {
    async fn measure(stage: &Stage, runs: usize, ignore_result: bool) -> Result<Self> {
        let mut cardoon = Vec::new();
        let mut bares = BATCHES.map(|_| Vec::new());
        for _ in 0..runs {
            cardoon.push(once(stage, ignore_result).await?);
            for (batch, bares) in BATCHES.iter().zip(&mut bares) {
                bares.push(bare(stage, *batch, ignore_result).await?);
            }
        }
        let bare = bares.into_iter().map(median).collect();
        Ok(Self { ignore_result, cardoon: median(cardoon), bare })
    }

    fn row(&self) -> Row {
        let best = self.bare.iter().copied().fold(0.0, f64::max);
        let goal = if self.ignore_result { 0.6 } else { 0.5 };
        let bare = BATCHES.iter().zip(&self.bare);
        let bare = bare.map(|(batch, bare)| format!("{} at batch {batch}", rate(*bare)));
        Row {
            measure: format!(
                "drain 20,000 prefilled no-ops, {}, one worker process with {SLOTS} slots",
                results(self.ignore_result)
            ),
            cardoon: format!("{}; {} of the bare loop", rate(self.cardoon), percent(self.cardoon / best)),
            beside: format!("bare loop of the same commands: {}", bare.collect::<Vec<_>>().join(", ")),
            goal: format!(">= {} of the bare loop", percent(goal)),
            is_met: Some(self.cardoon >= goal * best),
        }
    }
}
