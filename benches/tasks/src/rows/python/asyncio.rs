//! A thousand coroutines that sleep, in one child.

use anyhow::Result;

use crate::page::{Row, percent, rate};
use crate::sides::cardoon_python::Package;
use crate::sides::peer::{self, Peer, Worker};
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

const TASKS: usize = 30_000;
/// 1000 at once, 0.1 s each.
const IDEAL: f64 = 10_000.0;
const SHARE: f64 = 0.85;

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let mut rates = Vec::new();
    for _ in 0..runs {
        rates.push(once(stage, package).await?);
    }
    let rate_of_sleeps = median(rates);
    let share = rate_of_sleeps / IDEAL;
    Ok(vec![Row {
        measure:
            "`async def`, each sleeps 0.1 s, 1000 at once in one child (`-P asyncio -c 1000`), results stored"
                .into(),
        cardoon: format!("{}; {} of what is possible", rate(rate_of_sleeps), percent(share)),
        beside: format!("possible: {}", rate(IDEAL)),
        goal: format!(">= {}", percent(SHARE)),
        is_met: Some(share >= SHARE),
    }])
}

async fn once(stage: &Stage, package: &Package) -> Result<f64> {
    stage.clear().await?;
    let ours = package.worker("-P asyncio -c 1000").of_coroutines();
    peer::send(&ours, &stage.url(), "fill", TASKS)?;
    let (mut eye, places) = (stage.eye()?, ours.places());
    let before = eye.left(&places)?;
    let workers = Worker::start_all(ours.workers(&stage.url())?)?;
    let rate = eye.rate(&places, before, TASKS as u64)?;
    drop(workers);
    Ok(rate)
}
