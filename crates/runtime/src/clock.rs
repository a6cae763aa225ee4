#![expect(clippy::disallowed_methods, reason = "this is where the clocks are read")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use cardoon_core::{BootInstant, Timestamp};

/// The wall clock and the boot-time clock, real or set by hand. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Clock(Source);

#[derive(Debug, Clone, Default)]
enum Source {
    #[default]
    Real,
    Manual(Arc<ManualClock>),
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    wall: AtomicI64,
    boot: AtomicU64,
    moved: tokio::sync::watch::Sender<()>,
}

impl Clock {
    pub fn real() -> Self {
        Self::default()
    }

    /// A clock that `manual` moves.
    pub fn manual(manual: &Arc<ManualClock>) -> Self {
        Self(Source::Manual(Arc::clone(manual)))
    }

    /// The time for people, due times and records.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Manual(manual) => Timestamp(manual.wall.load(Ordering::SeqCst)),
            Source::Real => Timestamp(wall_millis()),
        }
    }

    /// The time for leases and limits: the same for all processes of this machine, and it never jumps. On Windows each
    /// process has its own.
    pub fn boot(&self) -> BootInstant {
        match &self.0 {
            Source::Manual(manual) => BootInstant(manual.boot.load(Ordering::SeqCst)),
            Source::Real => BootInstant(boot_millis()),
        }
    }

    /// Waits for `duration` of the boot-time clock.
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::Real => tokio::time::sleep(duration).await,
            Source::Manual(manual) => manual.sleep_until(self.boot().plus(duration)).await,
        }
    }
}

impl ManualClock {
    pub fn new(wall: Timestamp) -> Arc<Self> {
        let moved = tokio::sync::watch::channel(()).0;
        Arc::new(Self { wall: AtomicI64::new(wall.0), boot: AtomicU64::new(1_000_000), moved })
    }

    /// Moves both clocks forward.
    pub fn advance(&self, by: Duration) {
        let millis = by.as_millis() as u64;
        self.wall.fetch_add(millis as i64, Ordering::SeqCst);
        self.boot.fetch_add(millis, Ordering::SeqCst);
        self.moved.send_replace(());
    }

    /// Sets the wall clock by a step, as an administrator or NTP does; the boot-time clock does not notice.
    pub fn step_wall(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.moved.send_replace(());
    }

    async fn sleep_until(&self, end: BootInstant) {
        let mut moved = self.moved.subscribe();
        while self.boot.load(Ordering::SeqCst) < end.0 {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }
}

fn wall_millis() -> i64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

#[cfg(target_os = "linux")]
fn boot_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

#[cfg(all(unix, not(target_os = "linux")))]
fn boot_millis() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// Only the SQLite store compares the times of several processes, and without Unix there is none.
#[cfg(not(unix))]
fn boot_millis() -> u64 {
    since_first_asked().as_millis() as u64
}

/// What has passed since this process asked for the first time.
#[cfg(not(unix))]
pub(crate) fn since_first_asked() -> Duration {
    static FIRST: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    FIRST.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_sleep_ends_when_the_clock_is_moved_past_it() {
        let manual = ManualClock::new(Timestamp(0));
        let clock = Clock::manual(&manual);
        let sleep = clock.sleep(Duration::from_secs(5));
        tokio::pin!(sleep);
        assert!(poll_once(sleep.as_mut()).await.is_none());
        manual.advance(Duration::from_secs(4));
        assert!(poll_once(sleep.as_mut()).await.is_none());
        manual.advance(Duration::from_secs(1));
        sleep.await;
    }

    #[test]
    fn a_step_of_the_wall_clock_leaves_leases_alone() {
        let manual = ManualClock::new(Timestamp(1_000_000));
        let clock = Clock::manual(&manual);
        let before = clock.boot();
        manual.step_wall(-60_000);
        assert_eq!(clock.now(), Timestamp(940_000));
        assert_eq!(clock.boot(), before);
    }

    async fn poll_once<F: Future + Unpin>(future: F) -> Option<F::Output> {
        tokio::select! { biased; output = future => Some(output), () = std::future::ready(()) => None }
    }
}
