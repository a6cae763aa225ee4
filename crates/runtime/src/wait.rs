use std::time::Duration;

use tokio::sync::Notify;

use crate::Clock;

/// Wakes waiters without polling. A ring that nobody waits for is remembered once.
#[derive(Debug, Default)]
pub struct Doorbell(Notify);

impl Doorbell {
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Wakes all who wait now; remembered for nobody.
    pub fn ring_all(&self) {
        self.0.notify_waiters();
    }

    /// Waits for a ring, at most `limit`. Returns whether it rang.
    pub async fn wait(&self, clock: &Clock, limit: Option<Duration>) -> bool {
        match limit {
            None => {
                self.0.notified().await;
                true
            }
            Some(limit) => tokio::select! {
                () = self.0.notified() => true,
                () = clock.sleep(limit) => false,
            },
        }
    }
}
