//! Listens for revokes of what this worker holds.

use std::sync::Arc;

use cardoon_broker::Consumer;
use cardoon_errors::{Kind, Result};
use cardoon_runtime::Clock;

use crate::engine::Event;
use crate::inbox::Inbox;
use crate::retrying::Backoff;

pub(crate) async fn listen(consumer: Arc<dyn Consumer>, clock: Clock, inbox: Inbox) -> Result<()> {
    let mut backoff = Backoff::default();
    loop {
        match consumer.revoked().await {
            Ok(ids) if ids.is_empty() => return Ok(()),
            Ok(ids) => {
                inbox.send(Event::Revoked(ids));
                backoff = Backoff::default();
            }
            Err(error) if error.kind() == Kind::Closed => return Err(error),
            // Whatever it is: a revoke that nobody hears of would not end its task.
            Err(error) => {
                tracing::warn!(%error, "cannot listen for revokes, trying again");
                backoff.pause(&clock).await;
            }
        }
    }
}
