//! What a worker costs that has nothing to do, and how soon it is ready.

use std::time::Duration;

use anyhow::Result;

use crate::page::Row;
use crate::process::WorkerProcess;
use crate::stopwatch::{self, Stopwatch};
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const SETTLING: Duration = Duration::from_secs(2);
const WATCHED: Duration = Duration::from_secs(20);

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    let [mut memory, mut processor, mut ready] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        let fixture = Fixture::of_noops(1).await?;
        let ends = fixture.ends()?;
        let watch = Stopwatch::start();
        let worker = WorkerProcess::start(&fixture.url(), "idle", 4)?;
        stopwatch::poll("the first task", Duration::from_millis(1), || {
            Ok((ends.count()? == 1).then_some(()))
        })?;
        ready.push(watch.secs() * 1000.0);
        stopwatch::pause(SETTLING);
        let before = worker.processor_secs()?;
        stopwatch::pause(WATCHED);
        processor.push((worker.processor_secs()? - before) / WATCHED.as_secs_f64() * 100.0);
        memory.push(worker.resident_mib()?);
        worker.end()?;
        fixture.close().await?;
    }
    let [memory, processor, ready] = [memory, processor, ready].map(median);
    Ok(vec![Row {
        measure: "idle worker with 4 slots: resident memory / processor over 20 s / start to the end of the first task".into(),
        cardoon: format!("{memory:.1} MiB / {processor:.2} % / {ready:.0} ms"),
        beside: "-".into(),
        goal: "<= 20 MB / < 0.5 % / <= 150 ms".into(),
        is_met: Some(memory * 1.048_576 <= 20.0 && processor < 0.5 && ready <= 150.0),
    }])
}
