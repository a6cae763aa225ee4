//! The one place where a benchmark reads clocks and waits.
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// How long a measurement may take before it is given up.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    pub(crate) fn secs(&self) -> f64 {
        self.elapsed().as_secs_f64()
    }
}

/// Nanoseconds of the monotonic clock, which is the same for all processes of a machine.
pub(crate) fn monotonic_nanos() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// Waits until the monotonic clock is there, to the millisecond.
pub(crate) async fn sleep_until(nanos: u64) {
    let left = nanos.saturating_sub(monotonic_nanos());
    if left > 0 {
        tokio::time::sleep(Duration::from_nanos(left)).await;
    }
}

/// Asks every `interval` until the answer is there.
pub(crate) fn poll<T>(what: &str, interval: Duration, ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    poll_for(PATIENCE, interval, ask)?.with_context(|| format!("gave up waiting for {what}"))
}

/// The same; `None` if the answer is not there within `limit`.
pub(crate) fn poll_for<T>(
    limit: Duration,
    interval: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<Option<T>> {
    let watch = Stopwatch::start();
    loop {
        if let Some(answer) = ask()? {
            return Ok(Some(answer));
        }
        if watch.elapsed() > limit {
            return Ok(None);
        }
        pause(interval);
    }
}
