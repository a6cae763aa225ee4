//! What a worker with four children costs that has nothing to do.

use std::time::Duration;

use anyhow::Result;

use crate::cache;
use crate::page::Row;
use crate::process::Family;
use crate::sides::cardoon_python::Package;
use crate::sides::celery::{Celery, How};
use crate::sides::peer::{self, Peer, Worker};
use crate::stopwatch;
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

const SETTLING: Duration = Duration::from_secs(2);
const WATCHED: Duration = Duration::from_secs(20);
/// In megabytes.
const MOST: f64 = 45.0;

/// Medians, or the runs that they are of.
#[derive(Clone, Copy, Default)]
struct Cost<T> {
    mib: T,
    /// Percent of one processor.
    processor: T,
    processes: usize,
}

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let (ours, celery) = (package.worker("-c 4"), Celery::new(How::Late(4), false));
    let absent = celery.install().map_err(|error| peer::absent(&celery.name(), &error));
    let [mut cardoon, mut theirs] = [Cost::default(), Cost::default()];
    for _ in 0..runs {
        cardoon.push(once(stage, &ours).await?);
        if absent.is_ok() {
            theirs.push(once(stage, &celery).await?);
        }
    }
    let cardoon = cardoon.median();
    let told = || format!("{}: {}", peer::title(&celery), theirs.median().told());
    Ok(vec![Row {
        measure: "idle worker with 4 children: memory of all its processes (PSS) / processor over 20 s"
            .into(),
        cardoon: cardoon.told(),
        beside: absent.map_or_else(|why| why, |()| told()),
        goal: format!("<= {MOST:.0} MB"),
        is_met: Some(cardoon.mb() <= MOST),
    }])
}

async fn once(stage: &Stage, peer: &dyn Peer) -> Result<Cost<f64>> {
    stage.clear().await?;
    let workers = Worker::start_all(peer.workers(&stage.url())?)?;
    // Tasks that were executed have loaded what is loaded late.
    cache::output(peer.sender(&stage.url())?.args(["wait", "50"]))?;
    stopwatch::pause(SETTLING);
    let family = Family::of(workers[0].id())?;
    let before = family.processor_secs()?;
    stopwatch::pause(WATCHED);
    let used = family.processor_secs()? - before;
    let mib = family.proportional_mib()?;
    drop(workers);
    Ok(Cost { mib, processor: used / WATCHED.as_secs_f64() * 100.0, processes: family.len() })
}

impl Cost<Vec<f64>> {
    fn push(&mut self, run: Cost<f64>) {
        self.mib.push(run.mib);
        self.processor.push(run.processor);
        self.processes = run.processes;
    }

    fn median(&self) -> Cost<f64> {
        let (mib, processor) = (median(self.mib.clone()), median(self.processor.clone()));
        Cost { mib, processor, processes: self.processes }
    }
}

impl Cost<f64> {
    fn mb(&self) -> f64 {
        self.mib * 1.048_576
    }

    fn told(&self) -> String {
        format!("{:.1} MB in {} processes / {:.2} %", self.mb(), self.processes, self.processor)
    }
}
