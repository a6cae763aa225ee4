use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

/// How often an executor asks for work while there is some. What it has done is told when it asks, so that each stage of a
/// query waits for this twice.
const BUSY: Duration = Duration::from_millis(10);

/// It asks so many times less often when there is none.
const IDLE: u64 = 5;

/// For how many rounds after it got work there may be more: two seconds.
const SOON: u64 = 200;

/// Wakes whoever asks for work.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulse {
    wake: Arc<Notify>,
    round: Arc<AtomicU64>,
    busy_until: Arc<AtomicU64>,
}

impl Pulse {
    /// What wakes whoever asks.
    pub(super) fn wake(&self) -> Arc<Notify> {
        self.wake.clone()
    }

    /// There is work.
    pub(super) fn quicken(&self) {
        self.busy_until.store(self.round.load(Ordering::Relaxed) + SOON, Ordering::Relaxed);
    }

    pub(super) async fn beat(&self) -> Infallible {
        let mut rounds = interval(BUSY);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            let round = self.round.fetch_add(1, Ordering::Relaxed);
            if round < self.busy_until.load(Ordering::Relaxed) || round.is_multiple_of(IDLE) {
                self.wake.notify_one();
            }
        }
    }
}
