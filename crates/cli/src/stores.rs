//! The stores that the settings name.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardoon_doctor::{Patient, Surroundings};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use cardoon_settings::{Settings, without_password};

/// How long a command waits for its stores to close.
const CLOSING: Duration = Duration::from_secs(5);

/// Open stores, which a command closes when its work is done.
#[derive(Clone)]
pub(crate) struct Stores(cardoon_connect::Stores);

impl Deref for Stores {
    type Target = cardoon_connect::Stores;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<cardoon_connect::Stores> for Stores {
    fn from(stores: cardoon_connect::Stores) -> Self {
        Self(stores)
    }
}

impl From<Stores> for cardoon_connect::Stores {
    fn from(stores: Stores) -> Self {
        stores.0
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

    /// The URL of the store of messages.
    pub(crate) fn broker(&self) -> &str {
        &self.broker
    }

    /// What the doctor examines, seen from this machine.
    pub(crate) fn patient(&self, clock: &Clock) -> Patient {
        Patient {
            broker: self.broker.clone(),
            results: self.results.clone(),
            surroundings: Surroundings::of_system(),
            clock: clock.clone(),
        }
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
    cardoon_connect::connect_with(broker, results, &settings.retention, clock).await.map(Stores)
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
