//! The stores that the settings name.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, DeadFilter};
use cardoon_coord::Coordinator;
use cardoon_errors::{Code, Error, Result};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, without_password};

/// How long a command waits for its stores to close.
const CLOSING: Duration = Duration::from_secs(5);
/// Dead letters that are reopened and sent again at a time.
const PAGE: usize = 64;

/// Open stores.
#[derive(Clone)]
pub(crate) struct Stores {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) results: Arc<dyn ResultBackend>,
    pub(crate) coord: Arc<dyn Coordinator>,
    pub(crate) joined: bool,
    /// Where they are, for people.
    pub(crate) location: String,
}

impl From<Stores> for cardoon_connect::Stores {
    fn from(stores: Stores) -> Self {
        let Stores { broker, results, coord, joined, location } = stores;
        Self { broker, results, coord, joined, location }
    }
}

/// Where the settings say that the stores are.
pub(crate) struct Urls {
    broker: String,
    results: Option<String>,
}

impl Urls {
    /// Fails for a store in memory: what this command did there would be gone with it.
    pub(crate) fn of(settings: &Settings) -> Result<Self> {
        let named = settings.broker.url.as_ref().map(|url| Ok(url.expose().to_owned()));
        let broker = named.unwrap_or_else(cardoon_connect::default_url)?;
        let results = settings.results.url.as_ref().map(|url| url.expose().to_owned());
        std::iter::once(&broker).chain(&results).try_for_each(|url| refuse_memory(url))?;
        Ok(Self { broker, results })
    }

    /// The first database file among the stores that does not exist.
    pub(crate) fn missing_file(&self) -> Option<PathBuf> {
        let urls = std::iter::once(&self.broker).chain(&self.results);
        urls.filter_map(|url| cardoon_connect::database_file(url))
            .find(|path| matches!(path.try_exists(), Ok(false)))
    }

    /// Where messages wait, for people.
    pub(crate) fn shown(&self) -> String {
        match cardoon_connect::database_file(&self.broker) {
            Some(path) => format!("sqlite:{}", path.display()),
            None => without_password(&self.broker),
        }
    }

    pub(crate) async fn connect(&self, settings: &Settings, clock: &Clock) -> Result<Stores> {
        at(&self.broker, self.results.as_deref(), settings, clock).await
    }
}

/// Fails for a store in memory.
pub(crate) fn refuse_memory(url: &str) -> Result<()> {
    if !cardoon_connect::is_in_memory(url) {
        return Ok(());
    }
    let message =
        format!("a store in memory ends with its process: nobody else would see what `{url}` holds");
    Err(Error::new(Code::Unsupported, message)
        .hint("leave the URL out, or write sqlite:PATH or redis://HOST"))
}

/// The error of a command that looks at a database which does not exist.
pub(crate) fn no_database(path: &Path) -> Error {
    Error::new(Code::NoDatabase, format!("there is no database {} yet", path.display()))
        .checked("nothing was made")
        .hint(
            "the first worker or task makes it, such as cardoon worker --builtin; \
             another one may be meant: cardoon settings show --origin",
        )
}

/// Connects to these URLs; all else is as the settings say.
pub(crate) async fn at(
    broker: &str,
    results: Option<&str>,
    settings: &Settings,
    clock: &Clock,
) -> Result<Stores> {
    let stores = cardoon_connect::connect_with(broker, results, &settings.retention, clock).await?;
    let cardoon_connect::Stores { broker, results, coord, joined, location } = stores;
    Ok(Stores { broker, results, coord, joined, location })
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
