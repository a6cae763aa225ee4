//! The stores that the settings name.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, DeadFilter};
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, StoreUrl};

use crate::talk::Talk;

/// How long a command waits for its stores to close.
const CLOSING: Duration = Duration::from_secs(5);
/// Dead letters that are reopened and sent again at a time.
const PAGE: usize = 64;

/// Open stores.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) results: Arc<dyn ResultBackend>,
    pub(crate) joined: bool,
    /// Where they are, for people.
    pub(crate) location: String,
}

/// Connects to the stores of the settings. Says so if their database is new, because that of another folder may be
/// meant.
pub(crate) async fn connect(settings: &Settings, clock: &Clock, talk: Talk) -> Result<Stores> {
    let named = settings.broker.url.as_ref().map(|url| Ok(url.expose().to_owned()));
    let broker = named.unwrap_or_else(cardoon_connect::default_url)?;
    let results = settings.results.url.as_ref().map(StoreUrl::expose);
    let is_new = cardoon_connect::database_file(&broker).is_some_and(|path| !path.exists());
    let stores = at(&broker, results, settings, clock).await?;
    if is_new {
        talk.say(format!("new database  {}", stores.location));
    }
    Ok(stores)
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
    /// Sends the matching dead letters to their queues again; answers how many. Results that are kept elsewhere are
    /// told before: a task that has ended there would not run.
    pub(crate) async fn redrive(&self, filter: &DeadFilter) -> Result<u64> {
        let letters = self.broker.dead_letters();
        if self.joined {
            return letters.redrive(filter).await;
        }
        let mut redriven = 0;
        loop {
            let page = letters.list(filter, PAGE).await?;
            let ids: Vec<_> = page.into_iter().map(|letter| letter.message.id).collect();
            if ids.is_empty() {
                return Ok(redriven);
            }
            self.results.reopen(&ids).await?;
            match letters.redrive(&DeadFilter { ids, ..filter.clone() }).await? {
                0 => return Ok(redriven),
                some => redriven += some,
            }
        }
    }

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
