//! The stores that the settings name.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::Broker;
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, StoreUrl};

/// How long a command waits for its stores to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Open stores.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) results: Arc<dyn ResultBackend>,
    pub(crate) joined: bool,
    /// Where they are, for people.
    pub(crate) location: String,
}

pub(crate) async fn connect(settings: &Settings, clock: &Clock) -> Result<Stores> {
    let named = settings.broker.url.as_ref().map(|url| Ok(url.expose().to_owned()));
    let broker = named.unwrap_or_else(cardoon_connect::default_url)?;
    let results = settings.results.url.as_ref().map(StoreUrl::expose);
    at(&broker, results, settings, clock).await
}

/// Connects to these URLs; all else is as the settings say.
pub(crate) async fn at(
    broker: &str,
    results: Option<&str>,
    settings: &Settings,
    clock: &Clock,
) -> Result<Stores> {
    let stores = cardoon_connect::connect_with(broker, results, &settings.retention, clock).await?;
    let cardoon_connect::Stores { broker, results, joined, location } = stores;
    Ok(Stores { broker, results, joined, location })
}

impl Stores {
    /// Finishes what is under way. That a store does not close in time is logged: the command's work is done.
    pub(crate) async fn close(&self) {
        if let Err(error) = self.results.close(CLOSING).await {
            tracing::debug!(%error, "the results did not close");
        }
        if let Err(error) = self.broker.close(CLOSING).await {
            tracing::debug!(%error, "the broker did not close");
        }
    }
}
