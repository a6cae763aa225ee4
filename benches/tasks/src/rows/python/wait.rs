//! Send a task to a worker that has nothing else to do, and wait for its result: how long does it take?

use anyhow::{Context, Result};

use crate::page::Row;
use crate::sides::cardoon_python::Package;
use crate::sides::celery::{Celery, How};
use crate::sides::peer::{self, Peer};
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

const MEASURE: &str = "`.delay().get()` of a no-op, one after the other, `-c 2`: p50 / p99";
const COUNT: usize = 1000;
/// Of Celery's times.
const SHARE: f64 = 0.4;

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let celery = Celery::new(How::Late(2), false);
    if let Err(error) = celery.install() {
        return Ok(vec![Row::unmeasured(MEASURE, peer::absent(&celery.name(), &error))]);
    }
    let ours = package.worker("-c 2");
    let [mut p50, mut p99, mut their_p50, mut their_p99] = [const { Vec::new() }; 4];
    for _ in 0..runs {
        let (median, late) = once(stage, &ours).await?;
        p50.push(median);
        p99.push(late);
        let (median, late) = once(stage, &celery).await?;
        their_p50.push(median);
        their_p99.push(late);
    }
    let [p50, p99, their_p50, their_p99] = [p50, p99, their_p50, their_p99].map(median);
    let (of_p50, of_p99) = (p50 / their_p50, p99 / their_p99);
    Ok(vec![Row {
        measure: MEASURE.into(),
        cardoon: format!("{p50:.2} / {p99:.2} ms; {of_p50:.2} / {of_p99:.2} of Celery's"),
        beside: format!("{}: {their_p50:.2} / {their_p99:.2} ms", peer::title(&celery)),
        goal: format!("<= {SHARE} / <= {SHARE} of Celery's"),
        is_met: Some(of_p50 <= SHARE && of_p99 <= SHARE),
    }])
}

async fn once(stage: &Stage, peer: &dyn Peer) -> Result<(f64, f64)> {
    stage.clear().await?;
    let mut waiter = peer.sender(&stage.url())?;
    waiter.arg("wait").arg(COUNT.to_string());
    let lines = peer::numbers::<2>(peer, peer.workers(&stage.url())?, &mut waiter)?;
    let [p50, p99] = *lines.first().context("nothing was waited for")?;
    Ok((p50, p99))
}
