use std::sync::Arc;

use cardoon_broker::{Publish, Published};
use cardoon_core::{Event, EventKind, TaskId, Timestamp};
use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::Clock;

use super::call::Call;
use super::claims::{Claim, Claims};
use crate::stores::Stores;

/// Sends ticks, each once, however many schedulers there are.
///
/// A broker that holds a message of an id only once needs no help: ticks have ids that all schedulers agree on. For
/// another one a tick is claimed first. That a tick which is sent again after its task has ended does not run is the run
/// record's part; see [`Call::publish`].
pub(super) struct Sender {
    stores: Stores,
    claims: Option<Claims>,
    origin: String,
    limits: Limits,
    clock: Clock,
}

/// A tick to send.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    /// The name of its entry.
    pub(super) entry: String,
    pub(super) at: Timestamp,
    pub(super) id: TaskId,
    pub(super) call: Arc<Call>,
}

/// What became of a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    Now,
    /// By another scheduler, or in an earlier life.
    Before,
    /// Another scheduler is about to, or died over it.
    Unsure,
}

/// What a claim of another scheduler counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Trusted,
    /// It has had time enough.
    Overruled,
}

impl Sender {
    pub(super) fn new(stores: Stores, limits: Limits, clock: Clock) -> Self {
        let is_unique = stores.broker.capabilities().unique_messages;
        let claims = (!is_unique).then(|| Claims::new(Arc::clone(&stores.results)));
        let origin = format!("beat{}@{}", std::process::id(), cardoon_runtime::hostname());
        Self { stores, claims, origin, limits, clock }
    }

    /// Fails for a call that could never be sent.
    pub(super) fn check(&self, call: &Call) -> Result<()> {
        self.encode(call, &cardoon_runtime::ids::task_id()).map(drop)
    }

    /// Sends ticks; answers each, in order.
    pub(super) async fn send(&self, ticks: &[Tick], others: Others) -> Vec<Result<Sent>> {
        let mut answers = self.claim(ticks, others).await;
        let (mut places, mut batch) = (Vec::new(), Vec::new());
        for (place, (tick, answer)) in ticks.iter().zip(&mut answers).enumerate() {
            if !matches!(answer, Ok(Sent::Now)) {
                continue;
            }
            match self.encode(&tick.call, &tick.id) {
                Ok(publish) => {
                    places.push(place);
                    batch.push(publish);
                }
                Err(error) => *answer = Err(error),
            }
        }
        if batch.is_empty() {
            return answers;
        }
        let mut stored = self.stores.broker.publish(batch).await.into_iter();
        for place in &places {
            answers[*place] = stored.next().unwrap_or_else(|| Err(unanswered())).map(sent);
        }
        let done = || places.iter().filter(|place| answers[**place].is_ok()).map(|place| &ticks[*place]);
        if let Some(claims) = &self.claims {
            claims.sent(done().map(|tick| &tick.id)).await;
        }
        self.announce(done());
        answers
    }

    /// The ticks that are ours to send are answered with [`Sent::Now`].
    async fn claim(&self, ticks: &[Tick], others: Others) -> Vec<Result<Sent>> {
        let Some(claims) = self.claims.as_ref().filter(|_| !ticks.is_empty()) else {
            return ticks.iter().map(|_| Ok(Sent::Now)).collect();
        };
        let claimed = claims.claim(ticks.iter().map(|tick| &tick.id)).await;
        let judged = |claim| match (claim, others) {
            (Claim::Ours, _) | (Claim::Theirs, Others::Overruled) => Sent::Now,
            (Claim::Theirs, Others::Trusted) => Sent::Unsure,
            (Claim::Sent, _) => Sent::Before,
        };
        claimed.into_iter().map(|claim| claim.map(judged)).collect()
    }

    fn encode(&self, call: &Call, id: &TaskId) -> Result<Publish> {
        call.publish(id, self.clock.now(), &self.origin, &self.limits)
    }

    /// Tells those who listen to events.
    fn announce<'t>(&self, ticks: impl Iterator<Item = &'t Tick>) {
        let broker = &self.stores.broker;
        if !broker.has_listeners() {
            return;
        }
        let now = self.clock.now();
        let event = |tick: &Tick| Event {
            id: Some(tick.id.clone()),
            task: Some(tick.call.task().into()),
            queue: Some(tick.call.queue().clone()),
            ..Event::of_worker(EventKind::TaskSent, self.origin.as_str().into(), now)
        };
        broker.emit(ticks.map(event).collect());
    }
}

fn sent(published: Published) -> Sent {
    match published {
        Published::Stored => Sent::Now,
        Published::Duplicate => Sent::Before,
    }
}

fn unanswered() -> Error {
    Error::new(Code::Internal, "the broker did not answer for a message").applied(Applied::Unknown)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use cardoon::{App, Worker};
    use cardoon_core::QueueName;
    use cardoon_scheduler::tick_id;
    use cardoon_testkit::{RedisServer, eventually};

    use crate::commands::beat::said::SaidEntry;

    const DEADLINE: Duration = Duration::from_secs(20);

    async fn stores_at(url: &str) -> Stores {
        let settings = cardoon_settings::Settings::default();
        crate::stores::at(url, None, &settings, &Clock::real()).await.unwrap()
    }

    fn sender(stores: &Stores) -> Sender {
        Sender::new(stores.clone(), Limits::default(), Clock::real())
    }

    fn tick(entry: &str) -> Tick {
        let said = SaidEntry {
            task: "cardoon.noop".into(),
            args: "[]".into(),
            kwargs: "{}".into(),
            ..SaidEntry::default()
        };
        let call = Arc::new(Call::read(&said, &QueueName::default()).unwrap());
        Tick { entry: entry.into(), at: Timestamp(0), id: tick_id("app", entry, Timestamp(0)), call }
    }

    async fn send(sender: &Sender, tick: &Tick, others: Others) -> Sent {
        sender.send(std::slice::from_ref(tick), others).await.remove(0).unwrap()
    }

    async fn ready(stores: &Stores) -> u64 {
        stores.broker.inspect().queues().await.unwrap().iter().map(|queue| queue.ready + queue.held).sum()
    }

    /// Has a worker of the built-in tasks end what waits.
    async fn drain(stores: &Stores, id: &TaskId) {
        let app = App::builder().with_stores(stores.clone().into());
        let worker = Worker::builder(&app).builtins().build().unwrap();
        let ended = async {
            stores.results.wait(id, Some(DEADLINE)).await.unwrap().expect("it ends");
            eventually("nothing waits", DEADLINE, async || ready(stores).await == 0).await;
        };
        worker.run_until(ended).await.unwrap();
    }

    /// However many schedulers send a tick, and whenever: its task runs once.
    async fn a_tick_runs_once(url: &str) {
        let (one, two) = (stores_at(url).await, stores_at(url).await);
        let (first, second) = (sender(&one), sender(&two));
        let tick = tick("a");
        let (sent, also_sent) =
            tokio::join!(send(&first, &tick, Others::Trusted), send(&second, &tick, Others::Trusted));
        assert_eq!([sent, also_sent].iter().filter(|sent| **sent == Sent::Now).count(), 1);
        assert_eq!(ready(&one).await, 1);
        assert_eq!(send(&second, &tick, Others::Overruled).await, Sent::Before);
        drain(&one, &tick.id).await;
        for others in [Others::Trusted, Others::Overruled] {
            assert_eq!(send(&first, &tick, others).await, Sent::Before, "it has ended");
        }
        assert_eq!(ready(&one).await, 0);
        assert_eq!(one.results.history(&tick.id).await.unwrap().len(), 1);
        one.close().await;
        two.close().await;
    }

    #[tokio::test]
    async fn on_sqlite_a_tick_runs_once() {
        let folder = tempfile::tempdir().unwrap();
        a_tick_runs_once(&format!("sqlite:{}", folder.path().join("tasks.db").display())).await;
    }

    #[tokio::test]
    async fn on_redis_a_tick_runs_once() {
        let server = RedisServer::start().await.unwrap();
        a_tick_runs_once(&server.url()).await;
    }

    #[tokio::test]
    async fn on_redis_a_tick_whose_scheduler_died_over_it_is_sent_by_another_one() {
        let server = RedisServer::start().await.unwrap();
        let stores = stores_at(&server.url()).await;
        let (sender, tick) = (sender(&stores), tick("a"));
        let claims = sender.claims.as_ref().expect("a list holds a message as often as it is pushed");
        claims.claim(std::iter::once(&tick.id)).await.remove(0).unwrap();
        assert_eq!(send(&sender, &tick, Others::Trusted).await, Sent::Unsure);
        assert_eq!(ready(&stores).await, 0);
        assert_eq!(send(&sender, &tick, Others::Overruled).await, Sent::Now);
        assert_eq!(send(&sender, &tick, Others::Overruled).await, Sent::Before);
        assert_eq!(ready(&stores).await, 1);
    }

    #[tokio::test]
    async fn on_redis_a_message_of_a_tick_whose_task_has_ended_does_not_run() {
        let server = RedisServer::start().await.unwrap();
        let stores = stores_at(&server.url()).await;
        let (sender, tick) = (sender(&stores), tick("a"));
        let push = async || {
            let publish = sender.encode(&tick.call, &tick.id).unwrap();
            stores.broker.publish(vec![publish]).await.remove(0).unwrap();
        };
        push().await;
        drain(&stores, &tick.id).await;
        let ended = stores.results.get(std::slice::from_ref(&tick.id)).await.unwrap();
        push().await;
        drain(&stores, &tick.id).await;
        assert_eq!(stores.results.get(std::slice::from_ref(&tick.id)).await.unwrap(), ended);
    }
}
