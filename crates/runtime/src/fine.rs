//! A clock and a timer for delays below a millisecond, which [`crate::Clock`] would round up.

use std::io;
use std::time::Duration;

/// A point on a clock that never jumps, in nanoseconds. For nothing but [`FineTimer`] and differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FineInstant(u64);

impl FineInstant {
    #[cfg(unix)]
    pub fn now() -> Self {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Self(time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64)
    }

    #[cfg(not(unix))]
    pub fn now() -> Self {
        Self(crate::clock::since_first_asked().as_nanos() as u64)
    }

    /// This point, `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(by.as_nanos() as u64))
    }

    /// How long from `earlier` to this point; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Waits to within some 100 µs on Linux, to the millisecond elsewhere. Takes a file handle.
#[derive(Debug)]
pub struct FineTimer(system::Timer);

impl FineTimer {
    /// Must be called in a tokio runtime.
    pub fn new() -> io::Result<Self> {
        system::Timer::new().map(Self)
    }

    /// Waits until `end`. May be cancelled and called again.
    pub async fn sleep_until(&self, end: FineInstant) -> io::Result<()> {
        self.0.sleep_until(end).await
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::FineInstant;

    #[derive(Debug)]
    pub(super) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(deprecated, reason = "its unsafe successor asks for what an `OwnedFd` always is")]
        pub(super) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        pub(super) async fn sleep_until(&self, end: FineInstant) -> io::Result<()> {
            if FineInstant::now() >= end {
                return Ok(());
            }
            let none = Timespec { tv_sec: 0, tv_nsec: 0 };
            let value =
                Timespec { tv_sec: (end.0 / 1_000_000_000) as i64, tv_nsec: (end.0 % 1_000_000_000) as i64 };
            let once = Itimerspec { it_interval: none, it_value: value };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::ABSTIME, &once)?;
            // An earlier sleep that was cancelled may have left the timer readable.
            while FineInstant::now() < end {
                self.0.readable().await?.try_io(expirations).ok();
            }
            Ok(())
        }
    }

    /// Takes notice of the expiry, so that the timer is not readable any more.
    fn expirations(timer: &AsyncFd<OwnedFd>) -> io::Result<u64> {
        let mut count = [0; 8];
        rustix::io::read(timer.get_ref(), &mut count)?;
        Ok(u64::from_ne_bytes(count))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    use super::FineInstant;

    #[derive(Debug)]
    pub(super) struct Timer;

    impl Timer {
        #[expect(clippy::unnecessary_wraps, reason = "the other system's can fail")]
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self)
        }

        pub(super) async fn sleep_until(&self, end: FineInstant) -> io::Result<()> {
            crate::Clock::real().sleep(end.since(FineInstant::now())).await;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleep_is_never_too_short_and_may_be_cancelled() {
        let timer = FineTimer::new().unwrap();
        for micros in [0, 50, 700, 3000] {
            let end = FineInstant::now().plus(Duration::from_micros(micros));
            timer.sleep_until(end).await.unwrap();
            assert!(FineInstant::now() >= end);
        }
        let far = FineInstant::now().plus(Duration::from_hours(1));
        tokio::select! {
            _ = timer.sleep_until(far) => panic!("an hour has not passed"),
            () = tokio::task::yield_now() => {}
        }
        let near = FineInstant::now().plus(Duration::from_millis(1));
        timer.sleep_until(near).await.unwrap();
        assert!(FineInstant::now() >= near && FineInstant::now() < far);
    }
}
