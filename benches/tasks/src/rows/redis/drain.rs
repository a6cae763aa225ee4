//! One worker process empties a queue of no-ops; beside it the same commands in a bare loop, and Celery.

use anyhow::Result;

use super::{SLOTS, TASKS};
use crate::median::median;
use crate::page::{Row, percent, rate, times};
use crate::process::WorkerProcess;
use crate::sides::celery::{Celery, How};
use crate::sides::{bare_redis, peer};
use crate::stores::redis::{Places, Stage, add_noops, close};

/// Batches of the bare loop; the best one counts.
const BATCHES: [usize; 3] = [64, 128, 256];

/// With results or without.
struct Drain {
    ignore_result: bool,
    cardoon: f64,
    /// In the order of [`BATCHES`].
    bare: Vec<f64>,
    /// In the order of [`How::ALL`].
    celery: Vec<f64>,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ignore_result in [false, true] {
        rows.extend(Drain::measure(stage, runs, ignore_result).await?.rows());
    }
    Ok(rows)
}

/// The rate of one worker process.
pub(super) async fn once(stage: &Stage, ignore_result: bool) -> Result<f64> {
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

async fn bare(stage: &Stage, batch: usize, ignore_result: bool) -> Result<f64> {
    stage.clear().await?;
    let app = stage.app().await?;
    add_noops(&app, TASKS, ignore_result, None).await?;
    close(app).await?;
    let ids = bare_redis::waiting(&mut stage.eye()?)?;
    bare_redis::drain(&stage.url(), &ids, batch, !ignore_result)
}

impl Drain {
    async fn measure(stage: &Stage, runs: usize, ignore_result: bool) -> Result<Self> {
        let mut cardoon = Vec::new();
        let mut bares = BATCHES.map(|_| Vec::new());
        let mut celeries = How::ALL.map(|_| Vec::new());
        for _ in 0..runs {
            cardoon.push(once(stage, ignore_result).await?);
            for (batch, bares) in BATCHES.iter().zip(&mut bares) {
                bares.push(bare(stage, *batch, ignore_result).await?);
            }
            for (how, celeries) in How::ALL.into_iter().zip(&mut celeries) {
                celeries.push(peer::drain(stage, &Celery { ignore_result, how }).await?);
            }
        }
        let bare = bares.into_iter().map(median).collect();
        let celery = celeries.into_iter().map(median).collect();
        Ok(Self { ignore_result, cardoon: median(cardoon), bare, celery })
    }

    fn rows(&self) -> Vec<Row> {
        vec![self.of_bare(), self.of_celery(), self.of_best_celery()]
    }

    fn of_bare(&self) -> Row {
        let best = self.bare.iter().copied().fold(0.0, f64::max);
        let goal = if self.ignore_result { 0.6 } else { 0.5 };
        let bare =
            BATCHES.iter().zip(&self.bare).map(|(batch, bare)| format!("{} at batch {batch}", rate(*bare)));
        Row {
            measure: format!("drain 20,000 prefilled no-ops, results {}, one worker process", self.results()),
            cardoon: format!("{}; {} of the bare loop", rate(self.cardoon), percent(self.cardoon / best)),
            beside: format!("bare loop of the same commands: {}", bare.collect::<Vec<_>>().join(", ")),
            goal: format!(">= {} of the bare loop", percent(goal)),
            is_met: Some(self.cardoon >= goal * best),
        }
    }

    fn of_celery(&self) -> Row {
        let celery = Celery { ignore_result: self.ignore_result, how: How::Defaults };
        let factor = self.cardoon / self.celery[0];
        let goal = if self.ignore_result { 40.0 } else { 30.0 };
        Row {
            measure: format!("the same, results {}, beside Celery's defaults", self.results()),
            cardoon: times(factor),
            beside: format!("{}: {}", peer::title(&celery), rate(self.celery[0])),
            goal: format!(">= {goal:.0} times"),
            is_met: Some(factor >= goal),
        }
    }

    fn of_best_celery(&self) -> Row {
        let best = self.celery.iter().copied().fold(0.0, f64::max);
        let celery = How::ALL.into_iter().zip(&self.celery).skip(1);
        let celery = celery.map(|(how, celery)| format!("`{}`: {}", how.options(), rate(*celery)));
        Row {
            measure: format!("the same, results {}, beside Celery's best", self.results()),
            cardoon: times(self.cardoon / best),
            beside: celery.collect::<Vec<_>>().join(", "),
            goal: ">= 12 times the best".into(),
            is_met: Some(self.cardoon >= 12.0 * best),
        }
    }

    fn results(&self) -> &'static str {
        if self.ignore_result { "ignored" } else { "stored" }
    }
}
