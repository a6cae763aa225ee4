use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::filter::EventFilter;
use super::hub::{Hub, TICK};
use super::ring::{self, Place};

/// A comment is sent when nothing else was for so long, so that whoever is between does not hang up.
const SILENCE: Duration = Duration::from_secs(15);

/// One reader of events. It holds no events of its own, however slowly it reads.
pub(crate) struct Reader {
    hub: Arc<Hub>,
    filter: EventFilter,
    head: watch::Receiver<u64>,
    stopping: CancellationToken,
    after: Option<Place>,
    has_joined: bool,
    next: u64,
    /// It was given something, so that the next part is due a tick later: many small writes cost more than few.
    was_given: bool,
}

impl Reader {
    pub(crate) fn new(
        hub: &Arc<Hub>,
        filter: EventFilter,
        after: Option<Place>,
        stopping: CancellationToken,
    ) -> Self {
        hub.enter();
        let (hub, head) = (Arc::clone(hub), hub.head());
        Self { hub, filter, head, stopping, after, has_joined: false, next: 0, was_given: false }
    }

    /// What is written to the reader, until the gateway stops.
    pub(crate) fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        unfold(self, |mut reader| async move { reader.next().await.map(|bytes| (Ok(bytes), reader)) })
    }

    async fn next(&mut self) -> Option<Bytes> {
        let stopping = self.stopping.clone();
        tokio::select! {
            bytes = self.read() => Some(bytes),
            () = stopping.cancelled() => None,
        }
    }

    async fn read(&mut self) -> Bytes {
        if !self.has_joined {
            self.hub.listening().await;
            self.has_joined = true;
            return self.join();
        }
        let clock = self.hub.clock().clone();
        if std::mem::replace(&mut self.was_given, true) {
            clock.sleep(TICK).await;
        }
        let mut quiet = std::pin::pin!(clock.sleep(SILENCE));
        loop {
            if let Some(bytes) = self.take() {
                return bytes;
            }
            tokio::select! {
                changed = self.head.changed() => if changed.is_err() { return Bytes::new() },
                () = &mut quiet => return Bytes::from_static(b": nothing new\n\n"),
            }
        }
    }

    /// Tells the reader that it is heard from now on, or what it has missed.
    fn join(&mut self) -> Bytes {
        let ring = self.hub.ring();
        let (next, has_missed) = ring.join(self.after);
        self.next = next;
        let place = ring.place(next);
        if has_missed { ring::gap(place, None) } else { format!("id: {place}\n: listening\n\n").into() }
    }

    fn take(&mut self) -> Option<Bytes> {
        let room = self.hub.room();
        let mut ring = self.hub.ring();
        let lost = ring.lost(self.next);
        let begin = lost.map_or(self.next, |lost| lost.on);
        let part = ring.read(begin, &self.filter, room);
        self.next = part.next;
        match lost {
            None => Some(part.bytes).filter(|bytes| !bytes.is_empty()),
            Some(lost) => Some([ring::gap(ring.place(lost.on), lost.missed), part.bytes].concat().into()),
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.hub.leave();
    }
}
