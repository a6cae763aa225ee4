//! Events: published on a channel, lost if nobody is subscribed to it.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::EventStream;
use cardoon_core::Event;
use cardoon_errors::Result;
use cardoon_runtime::ServiceKind;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind};
use tokio::sync::mpsc;

use crate::failure;
use crate::link::{Era, Patience, Pushes, bytes, int, items};
use crate::store::Shared;

/// Batches of events that may wait to be sent or to be read; more are dropped.
const WAITING: usize = 1024;

/// How old the knowledge may be whether somebody listens.
const FRESH: Duration = Duration::from_secs(1);

/// Between two tests whether a quiet connection still answers.
const TEST_EVERY: Duration = Duration::from_secs(2);

/// Who listens to events.
#[derive(Debug, Default)]
pub(crate) struct Audience {
    /// Streams of this process.
    here: AtomicUsize,
    /// Somebody listened when it was last looked.
    pub(crate) is_there: AtomicBool,
    /// When that was, in milliseconds of the boot-time clock.
    looked_at: AtomicU64,
    outbox: Mutex<Option<mpsc::Sender<Vec<u8>>>>,
}

/// Whether somebody listens. Looks anew from time to time, without waiting for it.
pub(crate) fn has_listeners(shared: &Arc<Shared>) -> bool {
    let audience = &shared.audience;
    let now = shared.wire.clock.boot().0;
    let looked_at = audience.looked_at.load(Ordering::Relaxed);
    if now.saturating_sub(looked_at) >= FRESH.as_millis() as u64
        && audience.looked_at.compare_exchange(looked_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        let looking = Arc::clone(shared);
        shared.wire.spawn(ServiceKind::EventWriter, async move { look(&looking).await });
    }
    audience.here.load(Ordering::Relaxed) > 0 || audience.is_there.load(Ordering::Relaxed)
}

async fn look(shared: &Shared) -> Result<()> {
    let mut command = redis::cmd("PUBSUB");
    command.arg("NUMSUB").arg(shared.channels.events());
    let answer = items(shared.main.ask(&command).await?, "PUBSUB")?;
    let count = answer.get(1).map_or(Ok(0), |count| int(count, "PUBSUB"))?;
    shared.audience.is_there.store(count > 0, Ordering::Relaxed);
    Ok(())
}

/// Hands events over to be sent.
pub(crate) fn emit(shared: &Arc<Shared>, batch: &[Event]) {
    if batch.is_empty() || shared.check().is_err() {
        return;
    }
    let Ok(json) = serde_json::to_vec(batch) else { return };
    let mut outbox = shared.audience.outbox.lock().unwrap_or_else(PoisonError::into_inner);
    let sender = outbox.get_or_insert_with(|| {
        let (sender, queue) = mpsc::channel(WAITING);
        shared.wire.spawn(ServiceKind::EventWriter, send(Arc::downgrade(shared), queue));
        sender
    });
    // Events may be lost, and must not hold up anybody.
    let _ = sender.try_send(json);
}

async fn send(shared: std::sync::Weak<Shared>, mut queue: mpsc::Receiver<Vec<u8>>) -> Result<()> {
    let mut batches = Vec::new();
    while queue.recv_many(&mut batches, 64).await > 0 {
        let Some(shared) = shared.upgrade() else { return Ok(()) };
        let mut pipeline = redis::pipe();
        for json in batches.drain(..) {
            pipeline.cmd("PUBLISH").arg(shared.channels.events()).arg(json);
        }
        if shared.check().is_err() {
            return Ok(());
        }
        if let Err(error) = shared.main.ask_all(&pipeline).await {
            tracing::debug!(%error, "events were lost");
        }
    }
    Ok(())
}

/// Events from now on.
pub(crate) struct Listener {
    shared: Arc<Shared>,
    open: Option<Open>,
    heard: mpsc::Receiver<Heard>,
    ears: mpsc::Sender<Heard>,
}

/// A connection that is subscribed, and its era.
type Open = (MultiplexedConnection, Era);

enum Heard {
    Events(Vec<u8>),
    Disconnected,
}

impl Listener {
    pub(crate) async fn open(shared: &Arc<Shared>) -> Result<Self> {
        let (ears, heard) = mpsc::channel(WAITING);
        shared.audience.here.fetch_add(1, Ordering::Relaxed);
        let mut listener = Self { shared: Arc::clone(shared), open: None, heard, ears };
        listener.open = Some(listener.connect().await?);
        Ok(listener)
    }

    async fn connect(&self) -> Result<Open> {
        let wire = &self.shared.wire;
        let ears = self.ears.clone();
        let pushes: Pushes = Arc::new(move |info: PushInfo| {
            let heard = match info.kind {
                PushKind::Message => {
                    info.data.into_iter().next_back().and_then(bytes).map(|json| Heard::Events(json.into()))
                }
                PushKind::Disconnection => Some(Heard::Disconnected),
                _ => None,
            };
            // Who listens too slowly misses something.
            drop(heard.map(|heard| ears.try_send(heard)));
        });
        let era = wire.era();
        let mut connection = wire.dial(pushes, Patience::of_one_try().dial()).await?;
        let subscribed = wire.within(wire.limit, connection.subscribe(self.shared.channels.events())).await;
        match subscribed {
            Some(Ok(())) => Ok((connection, era)),
            Some(Err(error)) => Err(failure::of_client(error, &wire.location)),
            None => Err(failure::no_answer(&wire.location)),
        }
    }
}

#[async_trait]
impl EventStream for Listener {
    async fn next(&mut self) -> Result<Vec<Event>> {
        loop {
            let open = match self.open.take() {
                Some(open) => open,
                None => self.connect().await?,
            };
            let (connection, era) = self.open.insert(open);
            let heard = tokio::select! {
                heard = self.heard.recv() => heard,
                () = self.shared.wire.watch_over(connection, era, TEST_EVERY) => Some(Heard::Disconnected),
                () = self.shared.closing().cancelled() => return Ok(Vec::new()),
            };
            match heard {
                Some(Heard::Events(json)) => {
                    // What a newer Cardoon sends may be of a kind that is not known here.
                    match serde_json::from_slice::<Vec<Event>>(&json) {
                        Ok(events) if !events.is_empty() => return Ok(events),
                        _ => {}
                    }
                }
                Some(Heard::Disconnected) => self.open = None,
                None => return Ok(Vec::new()),
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.audience.here.fetch_sub(1, Ordering::Relaxed);
    }
}
