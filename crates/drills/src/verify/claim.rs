use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_coord::Coordinator;
use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, hostname, ids};

/// A verification that has not said for so long that it is there, is not.
const PRESENT: Duration = Duration::from_mins(1);
const SAY: Duration = Duration::from_secs(15);

/// A name on a store that nobody else may use while its owner says often enough that it is there.
pub(super) struct Claim {
    coord: Arc<dyn Coordinator>,
    pub(super) queue: QueueName,
    /// Who claims it, unlike anybody else.
    owner: Bytes,
}

impl Claim {
    /// `None` if somebody else has the name.
    pub(super) async fn take(coord: Arc<dyn Coordinator>, queue: QueueName) -> Result<Option<Self>> {
        let owner: Bytes = format!("{} {} {}", std::process::id(), hostname(), ids::task_id()).into();
        let taken = coord.compare_and_set(queue.as_str(), None, owner.clone(), Some(PRESENT)).await?;
        Ok(taken.map(|_| Self { coord, queue, owner }))
    }

    /// Says that the owner is there. Answers whether the name is still its own.
    pub(super) async fn renew(&self) -> Result<bool> {
        let key = self.queue.as_str();
        let Some(entry) = self.coord.get(key).await?.filter(|entry| entry.value == self.owner) else {
            return Ok(false);
        };
        let (version, owner) = (Some(entry.version), self.owner.clone());
        Ok(self.coord.compare_and_set(key, version, owner, Some(PRESENT)).await?.is_some())
    }

    /// Says again and again that the owner is there. Ends when the name is not its own any more.
    pub(super) async fn keep(&self, clock: &Clock) -> Error {
        loop {
            clock.sleep(SAY).await;
            match self.renew().await {
                Ok(true) => {}
                Ok(false) => return self.lost(),
                Err(error) => tracing::debug!(%error, "cannot say that this verification is there"),
            }
        }
    }

    /// Lets others have the name.
    pub(super) async fn release(&self) -> Result<()> {
        if self.renew().await? {
            self.coord.delete(self.queue.as_str()).await?;
        }
        Ok(())
    }

    fn lost(&self) -> Error {
        let queue = &self.queue;
        Error::new(Code::DrillFailed, format!("this verification has lost its name {queue} on the store"))
            .checked("it could not say for a minute that it is there")
            .hint("run it again when the store answers")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_coord::memory::MemoryCoordinator;
    use cardoon_core::Timestamp;
    use cardoon_runtime::ManualClock;

    fn queue() -> QueueName {
        QueueName::new("cardoon-verify-0").unwrap()
    }

    struct Store {
        time: Arc<ManualClock>,
        coord: Arc<MemoryCoordinator>,
    }

    impl Store {
        fn new() -> Self {
            let time = ManualClock::new(Timestamp(0));
            let coord = MemoryCoordinator::new(Clock::manual(&time));
            Self { time, coord }
        }

        async fn claim(&self) -> Option<Claim> {
            Claim::take(Arc::clone(&self.coord) as Arc<dyn Coordinator>, queue()).await.unwrap()
        }
    }

    #[tokio::test]
    async fn a_name_that_is_renewed_stays_with_its_owner() {
        let store = Store::new();
        let claim = store.claim().await.unwrap();
        for _ in 0..10 {
            store.time.advance(SAY);
            assert!(claim.renew().await.unwrap() && store.claim().await.is_none());
        }
        claim.release().await.unwrap();
        assert!(store.claim().await.is_some());
    }

    #[tokio::test]
    async fn a_name_that_lapsed_and_went_to_somebody_else_stays_there() {
        let store = Store::new();
        let late = store.claim().await.unwrap();
        store.time.advance(PRESENT);
        let new = store.claim().await.unwrap();
        assert!(!late.renew().await.unwrap());
        late.release().await.unwrap();
        assert!(new.renew().await.unwrap());
    }

    #[tokio::test]
    async fn whoever_lost_the_name_is_told() {
        let store = Store::new();
        let late = store.claim().await.unwrap();
        store.coord.delete(queue().as_str()).await.unwrap();
        let time = ManualClock::new(Timestamp(0));
        let clock = Clock::manual(&time);
        let (told, ()) = tokio::join!(late.keep(&clock), async { time.advance(SAY) });
        assert_eq!(told.code(), Code::DrillFailed);
    }
}
