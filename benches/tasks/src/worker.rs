//! The worker process of a measurement.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use cardoon::prelude::*;
use clap::Args;

use crate::stopwatch::monotonic_nanos;

#[derive(Args)]
pub(crate) struct Options {
    #[arg(long)]
    url: String,
    #[arg(long)]
    name: String,
    #[arg(long)]
    slots: u32,
    /// Publish events even if nobody listens
    #[arg(long)]
    events: bool,
    /// Take from the queues `bench-0`, `bench-1` and so on, this many; by default from the default queue
    #[arg(long)]
    queues: Option<usize>,
    /// Where the waits of timed tasks go, in nanoseconds, one a line
    #[arg(long)]
    waits: Option<PathBuf>,
}

/// How long each timed task had waited when it started.
#[derive(Clone, Default)]
pub(crate) struct Waits(Arc<Mutex<Vec<u64>>>);

impl Waits {
    fn nanos(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works for 1 ms. `arrival` is when it was to arrive, in nanoseconds of the monotonic clock: a sender that is late
/// makes the wait longer, not shorter.
#[cardoon::task(name = "bench.timed", ignore_result)]
pub(crate) async fn timed(waits: State<Waits>, arrival: u64) {
    let wait = monotonic_nanos().saturating_sub(arrival);
    waits.nanos().push(wait);
    work(Duration::from_millis(1)).await;
}

/// Works for `micros`, and is sent with a payload that it does not look at.
#[cardoon::task(name = "bench.mixed")]
pub(crate) async fn mixed(waits: State<Waits>, arrival: u64, micros: u64, payload: String) {
    let wait = monotonic_nanos().saturating_sub(arrival);
    waits.nanos().push(wait);
    work(Duration::from_micros(micros)).await;
    drop(payload);
}

#[expect(clippy::disallowed_methods, reason = "the work of a benchmark takes real time")]
async fn work(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// The name of one of several queues.
pub(crate) fn queue(index: usize) -> String {
    format!("bench-{index}")
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let app = App::connect(&options.url).await?;
    let waits = Waits::default();
    let worker = Worker::builder(&app).builtins().task::<timed>().task::<mixed>().state(waits.clone());
    let mut worker = worker.name(options.name).concurrency(options.slots).events(options.events);
    if let Some(queues) = options.queues {
        worker = worker.queues((0..queues).map(queue));
    }
    worker.run().await?;
    if let Some(path) = options.waits {
        write(&path, &waits)?;
    }
    Ok(app.close(Duration::from_secs(10)).await?)
}

fn write(path: &Path, waits: &Waits) -> Result<()> {
    let lines: Vec<String> = waits.nanos().iter().map(u64::to_string).collect();
    std::fs::write(path, lines.join("\n")).with_context(|| format!("cannot write {}", path.display()))
}
