//! Tasks arrive by a schedule, whatever the worker does: how long do they wait?

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use cardoon::App;
use hdrhistogram::Histogram;

use crate::page::{Row, rate};
use crate::process::WorkerProcess;
use crate::stopwatch::{self, monotonic_nanos};
use crate::stores::sqlite::Fixture;
use crate::worker::timed;
use cardoon_bench_common::median;

const SECS: u64 = 6;
/// Arrivals of the first seconds are executed and not counted: the worker warms up.
const WARM_UP_SECS: u64 = 1;
const SLOTS: u32 = 64;
/// Prefilled tasks by which the drain rate of this worker is found.
const PREFILLED: usize = 40_000;

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    let mut drains = Vec::new();
    for _ in 0..runs {
        drains.push(drain().await?);
    }
    let drain = median(drains);
    Ok(vec![load(runs, drain, 0.5, 20.0).await?, load(runs, drain, 0.8, 60.0).await?])
}

/// How many of these tasks a second the same worker drains when nobody sends.
async fn drain() -> Result<f64> {
    let fixture = Fixture::empty().await?;
    for _ in 0..PREFILLED / 10_000 {
        fixture.app.send_many((0..10_000).map(|_| timed::signature(monotonic_nanos()))).await?;
    }
    let file = fixture.folder().join("waits");
    let ends = fixture.ends()?;
    let worker = WorkerProcess::start_timing(&fixture.url(), "open-loop", SLOTS, &file)?;
    let drained = ends.rate(0, PREFILLED as u64)?;
    worker.end()?;
    fixture.close().await?;
    Ok(drained)
}

async fn load(runs: usize, drain: f64, share: f64, goal_ms: f64) -> Result<Row> {
    let offered = drain * share;
    let [mut p50, mut p99, mut p999] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        let waits = once(offered).await?;
        let ms = |quantile| waits.value_at_quantile(quantile) as f64 / 1e6;
        p50.push(ms(0.5));
        p99.push(ms(0.99));
        p999.push(ms(0.999));
    }
    let [p50, p99, p999] = [p50, p99, p999].map(median);
    Ok(Row {
        measure: format!(
            "open loop, 1 ms tasks, {SLOTS} slots, at {:.0} % of the rate at which the same worker drains them ({} of {}): wait p50 / p99 / p99.9",
            share * 100.0,
            rate(offered),
            rate(drain)
        ),
        cardoon: format!("{p50:.1} / {p99:.1} / {p999:.1} ms"),
        beside: "-".into(),
        goal: format!("p99 <= {goal_ms:.0} ms"),
        is_met: Some(p99 <= goal_ms),
    })
}

async fn once(offered: f64) -> Result<Histogram<u64>> {
    let fixture = Fixture::of_noops(1).await?;
    let file = fixture.folder().join("waits");
    let worker = WorkerProcess::start_timing(&fixture.url(), "open-loop", SLOTS, &file)?;
    let ends = fixture.ends()?;
    let tick = Duration::from_millis(2);
    stopwatch::poll("the worker", tick, || {
        Ok(Some(()).filter(|()| ends.count().is_ok_and(|ended| ended >= 1)))
    })?;
    let sent = arrive(&fixture.app, offered, SECS).await?;
    stopwatch::poll("the last task", tick, || {
        Ok(Some(()).filter(|()| ends.count().is_ok_and(|ended| ended > sent)))
    })?;
    worker.end()?;
    let skipped = (offered * WARM_UP_SECS as f64) as usize;
    let waits = read(&file, skipped)?;
    fixture.close().await?;
    Ok(waits)
}

/// Sends what the schedule says, evenly spaced, and what became due while the store was busy with the next batch.
pub(crate) async fn arrive(app: &App, offered: f64, secs: u64) -> Result<u64> {
    let start = monotonic_nanos();
    let arrival = |index: u64| start + (index as f64 * 1e9 / offered) as u64;
    let total = (offered * secs as f64) as u64;
    let mut next = 0;
    while next < total {
        let now = monotonic_nanos();
        let due = (next..total).take_while(|index| arrival(*index) <= now).count() as u64;
        if due == 0 {
            tokio::task::block_in_place(|| stopwatch::pause(Duration::from_micros(500)));
            continue;
        }
        app.send_many((next..next + due).map(|index| timed::signature(arrival(index)))).await?;
        next += due;
    }
    Ok(total)
}

/// Tasks start nearly in the order of their arrival, so the first ones of the file are the first ones that came.
fn read(file: &Path, skipped: usize) -> Result<Histogram<u64>> {
    let text = std::fs::read_to_string(file).context("the worker left no waits")?;
    let mut waits = Histogram::new(3)?;
    for line in text.lines().skip(skipped) {
        waits.record(line.parse()?)?;
    }
    Ok(waits)
}
