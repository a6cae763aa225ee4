use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_broker::{Broker, EventStream};
use cardoon_core::{BootInstant, Event};
use cardoon_errors::Result;
use cardoon_runtime::{Clock, Doorbell, ServiceKind, Supervisor};
use tokio::sync::watch;

use super::ring::Ring;
use crate::metrics::Meter;

/// Readers are woken this often at most: each wake costs each of them a write.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// How long it listens on when the last reader has gone, so that one who comes back misses nothing.
const AFTER_READERS: Duration = Duration::from_mins(1);
/// How long it listens on for whoever asks for the metrics.
const AFTER_METRICS: Duration = Duration::from_mins(10);
/// How often it looks whether anybody is left.
const LOOK: Duration = Duration::from_secs(5);
/// Between two tries to listen.
const PAUSE: Duration = Duration::from_secs(1);
/// Bytes that all readers together are given at a tick, and each at least.
const SHARE: usize = 1536 << 10;
const LEAST: usize = 8 << 10;
const LARGEST: usize = 256 << 10;

/// Listens for all readers, while there are any. That somebody listens makes workers publish events, so it costs them.
#[derive(Debug)]
pub(crate) struct Hub {
    ring: Mutex<Ring>,
    head: watch::Sender<u64>,
    listening: watch::Sender<bool>,
    readers: AtomicUsize,
    /// In milliseconds of the boot-time clock: wanted until then without a reader.
    until: AtomicU64,
    wanted: Doorbell,
    heard: Doorbell,
    clock: Clock,
}

impl Hub {
    pub(crate) fn start(
        broker: Arc<dyn Broker>,
        services: &Supervisor,
        meter: Arc<Meter>,
        clock: &Clock,
    ) -> Arc<Self> {
        let life = clock.now().0.unsigned_abs();
        let hub = Arc::new(Self {
            ring: Mutex::new(Ring::new(life)),
            head: watch::channel(0).0,
            listening: watch::channel(false).0,
            readers: AtomicUsize::new(0),
            until: AtomicU64::new(0),
            wanted: Doorbell::default(),
            heard: Doorbell::default(),
            clock: clock.clone(),
        });
        let stopping = services.stopping();
        let (listener, waker) = (Arc::clone(&hub), Arc::clone(&hub));
        let until_stopped = stopping.clone();
        services.spawn(ServiceKind::EventWriter, async move {
            let listening = listener.listen(broker.as_ref(), &meter);
            tokio::select! { () = listening => {}, () = stopping.cancelled() => {} }
            Ok(())
        });
        services.spawn(ServiceKind::EventWriter, async move {
            tokio::select! { () = waker.wake() => {}, () = until_stopped.cancelled() => {} }
            Ok(())
        });
        hub
    }

    /// The metrics are asked for: from now on events are counted for a while.
    pub(crate) fn count_for_metrics(&self) {
        self.want_for(AFTER_METRICS);
    }

    /// Waits until events are heard.
    pub(super) async fn listening(&self) {
        // An error would mean that this hub is gone.
        let _ = self.listening.subscribe().wait_for(|listening| *listening).await;
    }

    pub(super) fn enter(&self) {
        self.readers.fetch_add(1, Ordering::Relaxed);
        self.wanted.ring();
    }

    pub(super) fn leave(&self) {
        self.want_for(AFTER_READERS);
        self.readers.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn head(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes a reader may be given at a tick.
    pub(super) fn room(&self) -> usize {
        (SHARE / self.readers.load(Ordering::Relaxed).max(1)).clamp(LEAST, LARGEST)
    }

    fn want_for(&self, time: Duration) {
        self.until.fetch_max(self.clock.boot().plus(time).0, Ordering::Relaxed);
        self.wanted.ring();
    }

    fn is_wanted(&self) -> bool {
        let until = BootInstant(self.until.load(Ordering::Relaxed));
        self.readers.load(Ordering::Relaxed) > 0 || self.clock.boot() < until
    }

    async fn listen(&self, broker: &dyn Broker, meter: &Meter) {
        loop {
            while !self.is_wanted() {
                self.wanted.wait(&self.clock, None).await;
            }
            match broker.listen().await {
                Ok(stream) => {
                    self.ring().break_off();
                    self.listening.send_replace(true);
                    let heard = self.hear(stream, meter).await;
                    self.listening.send_replace(false);
                    match heard {
                        Ok(Heard::Closed) => return,
                        Ok(Heard::Enough) => continue,
                        Err(error) => tracing::warn!(%error, "events are not heard"),
                    }
                }
                Err(error) => tracing::warn!(%error, "events are not heard"),
            }
            self.clock.sleep(PAUSE).await;
        }
    }

    /// Hears events until nobody wants them.
    async fn hear(&self, mut stream: Box<dyn EventStream>, meter: &Meter) -> Result<Heard> {
        let mut enough = pin!(self.enough());
        loop {
            let events = tokio::select! {
                events = stream.next() => events?,
                () = &mut enough => return Ok(Heard::Enough),
            };
            if events.is_empty() {
                return Ok(Heard::Closed);
            }
            meter.count(&events);
            self.keep(events);
        }
    }

    fn keep(&self, events: Vec<Event>) {
        let mut ring = self.ring();
        for event in events {
            ring.push(event);
        }
        drop(ring);
        self.heard.ring();
    }

    async fn enough(&self) {
        while self.is_wanted() {
            self.clock.sleep(LOOK).await;
        }
    }

    /// Wakes readers at once after a quiet time, and at each tick while events come.
    async fn wake(&self) {
        loop {
            self.heard.wait(&self.clock, None).await;
            let head = self.ring().head();
            self.head.send_replace(head);
            self.clock.sleep(TICK).await;
        }
    }
}

enum Heard {
    /// Nobody wants more.
    Enough,
    /// The broker was closed.
    Closed,
}
