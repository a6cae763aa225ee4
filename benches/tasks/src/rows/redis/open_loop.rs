//! Tasks of many lengths and sizes arrive by a schedule, whatever the worker does: how long do they wait?

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use cardoon::App;
use hdrhistogram::Histogram;
use tempfile::TempDir;

use crate::page::{Row, rate};
use crate::process::WorkerProcess;
use crate::stopwatch::{self, monotonic_nanos};
use crate::stores::redis::{Eye, Places, Stage, close};
use crate::stores::temporary_folder;
use crate::worker::mixed;
use cardoon_bench_common::median;

/// Log-uniform between these: most tasks are short and small, and the mean is 145 ms and 21 kB.
const MICROS: [f64; 2] = [1e3, 1e6];
const BYTES: [f64; 2] = [1e3, 1e5];
/// So many that no task waits for a slot as long as its rate is below the drain rate.
const SLOTS: u32 = 256;
const SECS: u64 = 8;
/// Arrivals of the first seconds are executed and not counted: the worker warms up.
const WARM_UP_SECS: u64 = 2;
/// Prefilled tasks by which the drain rate of this worker is found.
const PREFILLED: usize = 6_000;
/// Messages that are sent in one call at most, so that their payloads are not all in memory.
const PAGE: usize = 500;

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut drains = Vec::new();
    for _ in 0..runs {
        drains.push(drain(stage).await?);
    }
    let drain = median(drains);
    Ok(vec![load(stage, runs, drain, 0.5, 10.0).await?, load(stage, runs, drain, 0.8, 40.0).await?])
}

/// How many of these tasks a second the same worker drains when nobody sends, until only the last ones are left, which
/// leave slots empty.
async fn drain(stage: &Stage) -> Result<f64> {
    let loop_ = Loop::start(stage).await?;
    let now = monotonic_nanos();
    for page in (0..PREFILLED as u64).step_by(PAGE) {
        loop_.send(page..page + PAGE as u64, |_| now).await?;
    }
    let (mut eye, places) = (stage.eye()?, Places::of_cardoon(None));
    let before = eye.left(&places)?;
    let worker = loop_.worker(stage)?;
    let drained = eye.rate(&places, before, (PREFILLED - 2 * SLOTS as usize) as u64)?;
    eye.drained(&places)?;
    worker.end()?;
    close(loop_.app).await?;
    Ok(drained)
}

async fn load(stage: &Stage, runs: usize, drain: f64, share: f64, goal_ms: f64) -> Result<Row> {
    let offered = drain * share;
    let [mut p50, mut p99, mut p999] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        let waits = once(stage, offered).await?;
        let ms = |quantile| waits.value_at_quantile(quantile) as f64 / 1e6;
        p50.push(ms(0.5));
        p99.push(ms(0.99));
        p999.push(ms(0.999));
    }
    let [p50, p99, p999] = [p50, p99, p999].map(median);
    Ok(Row {
        measure: format!(
            "open loop, tasks of 1 ms to 1 s with 1 to 100 kB (log-uniform), {SLOTS} slots, at {:.0} % of the rate at which the same worker drains them ({} of {}): wait p50 / p99 / p99.9",
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

async fn once(stage: &Stage, offered: f64) -> Result<Histogram<u64>> {
    let loop_ = Loop::start(stage).await?;
    let (mut eye, places) = (stage.eye()?, Places::of_cardoon(None));
    let worker = loop_.worker(stage)?;
    is_joined(&mut eye)?;
    loop_.arrive(offered).await?;
    eye.drained(&places)?;
    worker.end()?;
    let waits = read(&loop_.waits(), (offered * WARM_UP_SECS as f64) as usize)?;
    close(loop_.app).await?;
    Ok(waits)
}

/// Waits until a worker is there.
pub(crate) fn is_joined(eye: &mut Eye) -> Result<()> {
    stopwatch::poll("the worker", Duration::from_millis(2), || {
        let sessions: u64 = redis::cmd("ZCARD").arg("cardoon:beats").query(eye.connection())?;
        Ok((sessions > 0).then_some(()))
    })
}

/// A sender, and where its worker writes the waits.
struct Loop {
    app: App,
    folder: TempDir,
    /// The longest payload; the others are its beginnings.
    payload: String,
}

impl Loop {
    async fn start(stage: &Stage) -> Result<Self> {
        stage.clear().await?;
        let payload = (0..BYTES[1] as u64).map(|index| (b'a' + (random(index) % 26) as u8) as char).collect();
        Ok(Self { app: stage.app().await?, folder: temporary_folder()?, payload })
    }

    fn waits(&self) -> std::path::PathBuf {
        self.folder.path().join("waits")
    }

    fn worker(&self, stage: &Stage) -> Result<WorkerProcess> {
        WorkerProcess::start_with(
            &stage.url(),
            "open-loop",
            SLOTS,
            &["--waits", &self.waits().to_string_lossy()],
        )
    }

    async fn send(&self, some: std::ops::Range<u64>, arrival: impl Fn(u64) -> u64) -> Result<()> {
        let task = |index: u64| {
            let micros = log_uniform(MICROS, 2 * index) as u64;
            let bytes = log_uniform(BYTES, 2 * index + 1) as usize;
            mixed::signature(arrival(index), micros, self.payload[..bytes].to_owned())
        };
        let tasks: Vec<_> = some.map(task).collect();
        self.app.send_many(tasks).await?;
        Ok(())
    }

    /// Sends what the schedule says, evenly spaced, and what became due while the store was busy with the next batch.
    async fn arrive(&self, offered: f64) -> Result<()> {
        let start = monotonic_nanos();
        let arrival = |index: u64| start + (index as f64 * 1e9 / offered) as u64;
        let total = (offered * SECS as f64) as u64;
        let mut next = 0;
        while next < total {
            let now = monotonic_nanos();
            let due = (next..total).take(PAGE).take_while(|index| arrival(*index) <= now).count() as u64;
            if due == 0 {
                tokio::task::block_in_place(|| stopwatch::pause(Duration::from_micros(500)));
                continue;
            }
            self.send(next..next + due, arrival).await?;
            next += due;
        }
        Ok(())
    }
}

/// The same number for the same index in every run.
fn log_uniform([least, most]: [f64; 2], index: u64) -> f64 {
    let unit = (random(index) >> 11) as f64 / (1u64 << 53) as f64;
    least * (most / least).powf(unit)
}

/// Mixes the bits of a counter, which is random enough for lengths.
fn random(index: u64) -> u64 {
    let mixed = index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ (mixed >> 32)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_spread_over_their_range() {
        let count = 10_000;
        let lengths: Vec<f64> = (0..count).map(|index| log_uniform(MICROS, index)).collect();
        assert!(lengths.iter().all(|length| (MICROS[0]..=MICROS[1]).contains(length)));
        let mean = lengths.iter().sum::<f64>() / count as f64;
        assert!((135_000.0..155_000.0).contains(&mean), "{mean}");
    }
}
