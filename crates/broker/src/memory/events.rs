use async_trait::async_trait;
use cardoon_core::Event;
use cardoon_errors::Result;
use tokio::sync::broadcast::{self, Receiver, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::EventStream;

/// Batches that a slow listener may be behind before it loses the oldest.
pub(super) const BACKLOG: usize = 4096;

pub(super) struct Listener {
    pub(super) events: Receiver<Vec<Event>>,
    pub(super) closed: CancellationToken,
}

pub(super) fn channel() -> broadcast::Sender<Vec<Event>> {
    broadcast::channel(BACKLOG).0
}

#[async_trait]
impl EventStream for Listener {
    async fn next(&mut self) -> Result<Vec<Event>> {
        loop {
            let received = tokio::select! {
                biased;
                received = self.events.recv() => received,
                () = self.closed.cancelled() => return Ok(Vec::new()),
            };
            match received {
                Ok(events) if events.is_empty() => {}
                Ok(events) => return Ok(events),
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(Vec::new()),
            }
        }
    }
}
