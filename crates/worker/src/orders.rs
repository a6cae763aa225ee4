//! Listens for orders that this worker is given through its broker.

use std::sync::Arc;

use cardoon_broker::{Consumer, Order};
use cardoon_errors::{Kind, Result};
use cardoon_runtime::Clock;

use crate::engine::Event;
use crate::inbox::Inbox;
use crate::retrying::Backoff;

pub(crate) async fn listen(consumer: Arc<dyn Consumer>, clock: Clock, inbox: Inbox) -> Result<()> {
    let mut backoff = Backoff::default();
    loop {
        match consumer.ordered().await {
            Ok(None) => return Ok(()),
            Ok(Some(order)) => {
                tracing::info!(order = order.as_str(), "this worker was given an order through its broker");
                inbox.send(match order {
                    Order::Drain => Event::Drain,
                    Order::Stop => Event::Stop,
                });
                backoff = Backoff::default();
            }
            Err(error) if error.kind() == Kind::Closed => return Err(error),
            Err(error) => {
                tracing::warn!(%error, "cannot listen for orders, trying again");
                backoff.pause(&clock).await;
            }
        }
    }
}
