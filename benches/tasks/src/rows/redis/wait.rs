//! Send a task and wait for its result, again and again: how long does it take?

use anyhow::{Context, Result};
use cardoon::{App, builtin};
use hdrhistogram::Histogram;

use super::SLOTS;
use crate::cache;
use crate::page::Row;
use crate::process::WorkerProcess;
use crate::sides::celery::Celery;
use crate::sides::peer::{self, Peer};
use crate::stopwatch::Stopwatch;
use crate::stores::redis::{Stage, close};
use cardoon_bench_common::median;

const WARM_UP: usize = 50;
const COUNT: usize = 1000;

const MEASURE: &str = "send a no-op and wait for its result, one after the other: p50 / p99";

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let celery = Celery::defaults();
    if let Err(error) = celery.install() {
        return Ok(vec![Row::unmeasured(MEASURE, peer::absent(&celery.name(), &error))]);
    }
    let [mut p50, mut p99, mut their_p50, mut their_p99] = [const { Vec::new() }; 4];
    for _ in 0..runs {
        let (median, late) = ours(stage).await?;
        p50.push(median);
        p99.push(late);
        let (median, late) = theirs(stage).await?;
        their_p50.push(median);
        their_p99.push(late);
    }
    let [p50, p99, their_p50, their_p99] = [p50, p99, their_p50, their_p99].map(median);
    let (of_p50, of_p99) = (p50 / their_p50, p99 / their_p99);
    Ok(vec![Row {
        measure: MEASURE.into(),
        cardoon: format!("{p50:.2} / {p99:.2} ms; {of_p50:.2} / {of_p99:.2} of Celery's"),
        beside: format!("{}: {their_p50:.2} / {their_p99:.2} ms", peer::title(&celery)),
        goal: "<= 0.35 / <= 0.35 of Celery's".into(),
        is_met: Some(of_p50 <= 0.35 && of_p99 <= 0.35),
    }])
}

async fn ours(stage: &Stage) -> Result<(f64, f64)> {
    stage.clear().await?;
    let app = stage.app().await?;
    let worker = WorkerProcess::start_with(&stage.url(), "bench", SLOTS, &[])?;
    for _ in 0..WARM_UP {
        send_and_wait(&app).await?;
    }
    let mut waits = Histogram::<u64>::new(3)?;
    for _ in 0..COUNT {
        let watch = Stopwatch::start();
        send_and_wait(&app).await?;
        waits.record(watch.elapsed().as_nanos() as u64)?;
    }
    worker.end()?;
    close(app).await?;
    let ms = |quantile| waits.value_at_quantile(quantile) as f64 / 1e6;
    Ok((ms(0.5), ms(0.99)))
}

async fn send_and_wait(app: &App) -> Result<()> {
    Ok(app.send(builtin::noop::signature()).await?.await?)
}

async fn theirs(stage: &Stage) -> Result<(f64, f64)> {
    stage.clear().await?;
    let celery = Celery::defaults();
    let printed = peer::beside(stage, &celery, || cache::output(&mut celery.waiter(&stage.url(), COUNT)?))?;
    let both = printed.split_once(' ').with_context(|| format!("Celery printed {printed:?}"))?;
    Ok((both.0.parse()?, both.1.parse()?))
}
