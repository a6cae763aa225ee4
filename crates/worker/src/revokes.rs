//! Listens for revokes of what this worker holds.

use std::sync::Arc;

use cardoon_broker::Consumer;
use cardoon_errors::Result;
use cardoon_runtime::Clock;

use crate::engine::Event;
use crate::inbox::Inbox;
use crate::retrying::{Backoff, passes};

pub(crate) async fn listen(consumer: Arc<dyn Consumer>, clock: Clock, inbox: Inbox) -> Result<()> {
    let mut backoff = Backoff::default();
    loop {
        match consumer.revoked().await {
            Ok(ids) if ids.is_empty() => return Ok(()),
            Ok(ids) => {
                inbox.send(Event::Revoked(ids));
                backoff = Backoff::default();
            }
            Err(error) if passes(&error) => {
                tracing::debug!(%error, "cannot listen for revokes");
                backoff.pause(&clock).await;
            }
            Err(error) => return Err(error),
        }
    }
}
