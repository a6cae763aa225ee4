//! Idempotency keys: a request is reserved under its key, then sent, then marked as sent. A repeat finds the ids.
//!
//! A repeat that finds a request which is not marked waits for it: most often it is being sent at this moment. In the same
//! process it waits for its turn, for another gateway by looking again. What stands unchanged for long was left by a gateway
//! that died, and is sent again under the same ids; of several repeats one does that, and the others wait for it.

use std::sync::Arc;
use std::time::Duration;

use cardoon_coord::{Coordinator, Entry};
use cardoon_core::{BootInstant, TaskId};
use cardoon_errors::Result;
use cardoon_runtime::Clock;
use sha2::{Digest as _, Sha256};

use super::once::Once;
use super::reservation::{Reservation, State};
use super::turns::{Turn, Turns};
use crate::auth::hex;

/// How long a key is remembered.
pub(super) const KEPT: Duration = Duration::from_hours(24);
/// How long another gateway is waited for; a store that is well needs much less.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks at what it does.
const PAUSE: Duration = Duration::from_millis(20);
const FOLDER: &str = "gateway/once/";

/// The keys of requests.
pub(crate) struct Keys {
    coord: Arc<dyn Coordinator>,
    clock: Clock,
    turns: Turns,
}

/// What to do about a key next.
enum Step {
    /// Write the reservation in the place of that version, if it still stands there.
    Take { over: Option<u64>, reservation: Reservation, is_repeat: bool },
    /// It was sent.
    Found { version: u64, reservation: Reservation },
    /// Somebody is at it.
    Wait,
}

/// How long an entry has been the same, by the clock of this machine alone.
#[derive(Default)]
struct Watch(Option<(u64, BootInstant)>);

impl Keys {
    pub(crate) fn new(coord: Arc<dyn Coordinator>, clock: Clock) -> Self {
        Self { coord, clock, turns: Turns::default() }
    }

    /// The turn of something that is no request's key, in this process.
    pub(crate) async fn turn(&self, name: &str) -> Turn {
        self.turns.wait(name).await
    }

    /// Takes the key for these ids, or finds what was sent under it before.
    ///
    /// Errors: `CD7004` if that was another request.
    pub(crate) async fn reserve(&self, key: &str, digest: String, ids: Vec<TaskId>) -> Result<Once> {
        let key = format!("{FOLDER}{}", hex(&Sha256::digest(key.as_bytes())));
        let turn = self.turns.wait(&key).await;
        let wanted = Reservation::new(digest, ids);
        let (version, reservation, is_repeat) = self.claim(&key, &wanted).await?;
        Ok(Once { coord: Arc::clone(&self.coord), key, version, reservation, is_repeat, _turn: turn })
    }

    async fn claim(&self, key: &str, wanted: &Reservation) -> Result<(u64, Reservation, bool)> {
        let mut watch = Watch::default();
        let mut found = None;
        loop {
            let stands = found.as_ref().is_some_and(|entry| watch.stands(entry, self.clock.boot()));
            match step(found, wanted, stands)? {
                Step::Take { over, reservation, is_repeat } => {
                    let value = reservation.written()?;
                    if let Some(version) = self.coord.compare_and_set(key, over, value, Some(KEPT)).await? {
                        return Ok((version, reservation, is_repeat));
                    }
                }
                Step::Found { version, reservation } => return Ok((version, reservation, true)),
                Step::Wait => self.clock.sleep(PAUSE).await,
            }
            found = self.coord.get(key).await?;
        }
    }
}

/// `stands` says that the entry has not changed for long.
fn step(found: Option<Entry>, wanted: &Reservation, stands: bool) -> Result<Step> {
    let anew = |over| Step::Take { over, reservation: wanted.clone(), is_repeat: false };
    let Some(Entry { value, version }) = found else { return Ok(anew(None)) };
    let reservation = Reservation::read(&value)?;
    match reservation.state {
        State::Refused => Ok(anew(Some(version))),
        _ if reservation.digest != wanted.digest => Err(reservation.taken()),
        State::Sent => Ok(Step::Found { version, reservation }),
        State::Sending if !stands => Ok(Step::Wait),
        State::Sending | State::Open => {
            let reservation = reservation.with(State::Sending);
            Ok(Step::Take { over: Some(version), reservation, is_repeat: true })
        }
    }
}

impl Watch {
    fn stands(&mut self, entry: &Entry, now: BootInstant) -> bool {
        let same = self.0.filter(|(version, _)| *version == entry.version);
        let (_, since) = *self.0.insert(same.unwrap_or((entry.version, now)));
        now.since(since) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use cardoon_coord::memory::MemoryCoordinator;
    use cardoon_core::Timestamp;
    use cardoon_errors::{Applied, Code, Error};
    use cardoon_runtime::ManualClock;
    use futures_util::FutureExt as _;

    use super::*;

    /// Gateways on the same store.
    struct World {
        manual: Arc<ManualClock>,
        coord: Arc<MemoryCoordinator>,
    }

    impl World {
        fn new() -> Self {
            let manual = ManualClock::new(Timestamp(1_000_000));
            let coord = MemoryCoordinator::new(Clock::manual(&manual));
            Self { manual, coord }
        }

        fn gateway(&self) -> Keys {
            Keys::new(self.coord.clone(), Clock::manual(&self.manual))
        }
    }

    async fn reserve(keys: &Keys, id: &str) -> Result<Once> {
        keys.reserve("k", "digest".into(), vec![id.parse().unwrap()]).await
    }

    fn id_of(once: &Once) -> &str {
        once.ids()[0].as_str()
    }

    fn failed(applied: Applied) -> [Result<()>; 1] {
        [Err(Error::new(Code::NoAnswer, "it failed").applied(applied))]
    }

    #[tokio::test]
    async fn what_another_gateway_sends_is_waited_for() {
        let world = World::new();
        let (one, other) = (world.gateway(), world.gateway());
        let mut first = reserve(&one, "t-1").await.unwrap();
        let mut second = Box::pin(reserve(&other, "t-2"));
        assert!((&mut second).now_or_never().is_none());
        world.manual.advance(PATIENCE / 2);
        assert!((&mut second).now_or_never().is_none());
        first.settle(&[Ok(())]).await;
        world.manual.advance(PAUSE);
        let second = second.await.unwrap();
        assert_eq!((id_of(&second), second.is_sent(), second.is_repeat()), ("t-1", true, true));
    }

    #[tokio::test]
    async fn what_a_dead_gateway_left_is_taken_over_by_one() {
        let world = World::new();
        let gateways = [world.gateway(), world.gateway(), world.gateway()];
        drop(reserve(&gateways[0], "t-0").await.unwrap());
        let mut one = Box::pin(reserve(&gateways[1], "t-1"));
        let mut other = Box::pin(reserve(&gateways[2], "t-2"));
        assert!((&mut one).now_or_never().is_none() && (&mut other).now_or_never().is_none());
        world.manual.advance(PATIENCE);
        let mut one = one.await.unwrap();
        assert_eq!((id_of(&one), one.is_sent(), one.is_repeat()), ("t-0", false, true));
        assert!((&mut other).now_or_never().is_none());
        one.settle(&[Ok(())]).await;
        world.manual.advance(PAUSE);
        let other = other.await.unwrap();
        assert_eq!((id_of(&other), other.is_sent()), ("t-0", true));
    }

    #[tokio::test]
    async fn a_key_whose_request_was_refused_is_free_and_one_that_is_unknown_stays() {
        let world = World::new();
        let keys = world.gateway();
        reserve(&keys, "t-1").await.unwrap().settle(&failed(Applied::No)).await;
        let mut second = reserve(&keys, "t-2").await.unwrap();
        assert_eq!((id_of(&second), second.is_repeat()), ("t-2", false));
        second.settle(&failed(Applied::Unknown)).await;
        drop(second);
        let mut third = reserve(&keys, "t-3").await.unwrap();
        assert_eq!((id_of(&third), third.is_repeat(), third.is_sent()), ("t-2", true, false));
        third.settle(&failed(Applied::No)).await;
        drop(third);
        assert_eq!(id_of(&reserve(&keys, "t-4").await.unwrap()), "t-2");
        let other = keys.reserve("k", "other".into(), Vec::new()).await;
        assert_eq!(other.err().map(|error| error.code()), Some(Code::KeyReused));
    }
}
