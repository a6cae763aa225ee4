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
    /// Where the waits of `bench.timed` go, in nanoseconds, one a line
    #[arg(long)]
    waits: Option<PathBuf>,
}

/// How long each `bench.timed` had waited when it started.
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
    work().await;
}

#[expect(clippy::disallowed_methods, reason = "the work of a benchmark takes real time")]
async fn work() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

pub(crate) async fn run(options: Options) -> Result<()> {
    let app = App::connect(&options.url).await?;
    let waits = Waits::default();
    let worker = Worker::builder(&app).builtins().task::<timed>().state(waits.clone());
    worker.name(options.name).concurrency(options.slots).events(true).run().await?;
    if let Some(path) = options.waits {
        write(&path, &waits)?;
    }
    Ok(app.close(Duration::from_secs(10)).await?)
}

fn write(path: &Path, waits: &Waits) -> Result<()> {
    let lines: Vec<String> = waits.nanos().iter().map(u64::to_string).collect();
    std::fs::write(path, lines.join("\n")).with_context(|| format!("cannot write {}", path.display()))
}
