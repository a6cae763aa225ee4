//! Opening what a URL names.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::Broker;
use cardoon_broker::memory::MemoryBroker;
use cardoon_coord::Coordinator;
use cardoon_coord::memory::MemoryCoordinator;
use cardoon_errors::Result;
#[cfg(all(feature = "sqlite", unix))]
use cardoon_errors::{Code, Error};
#[cfg(feature = "redis")]
use cardoon_redis::{RedisAddress, RedisOptions, RedisStore};
use cardoon_results::ResultBackend;
use cardoon_results::memory::MemoryResults;
use cardoon_runtime::Clock;
use cardoon_settings::Retention;
#[cfg(all(feature = "sqlite", unix))]
use cardoon_sqlite::{SqliteOptions, SqliteStore};

use crate::url::Target;

/// The stores of an application. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    pub broker: Arc<dyn Broker>,
    pub results: Arc<dyn ResultBackend>,
    /// Small values that several nodes agree on; kept in the broker's store.
    pub coord: Arc<dyn Coordinator>,
    /// Whether broker and results are one store, so that a settle and its result are one step.
    pub joined: bool,
    /// Where the stores are, for people; holds no password.
    pub location: String,
}

/// Opens the stores that the URLs name. Results are kept in the broker's store unless `results_url` names another.
///
/// | URL | store |
/// |---|---|
/// | `sqlite:PATH`, `sqlite:///relative.db`, `sqlite:////absolute/path.db` | one SQLite file (feature `sqlite`) |
/// | `redis://`, `rediss://`, `redis+socket://`, `redis+sentinel://`, `valkey://` | one database of a Redis or Valkey server (feature `redis`) |
/// | `memory:`, `sqlite://`, `sqlite:///:memory:` | in this process, gone with it |
///
/// Errors: `CD1002` for an unknown scheme, `CD1003` for an adapter that this build lacks, `CD1004` for a URL that
/// cannot be read, and what the store itself answers.
pub async fn connect(broker_url: &str, results_url: Option<&str>, clock: &Clock) -> Result<Stores> {
    open_both(broker_url, results_url, None, clock).await
}

/// Opens the stores that the URLs name, as [`connect`] does, and keeps the past as long as `retention` says. On Redis
/// the history of runs is kept only if it says so.
pub async fn connect_with(
    broker_url: &str,
    results_url: Option<&str>,
    retention: &Retention,
    clock: &Clock,
) -> Result<Stores> {
    open_both(broker_url, results_url, Some(retention), clock).await
}

/// Opens the store that a URL names only to look at it: a server is not marked as one that Cardoon uses, and nothing is
/// removed because it is old. A database file must exist.
pub async fn connect_to_look(url: &str, clock: &Clock) -> Result<Stores> {
    match Target::parse(url)? {
        #[cfg(feature = "redis")]
        Target::Redis(address) => {
            open_redis_with(&address, &RedisOptions { looks_only: true, ..RedisOptions::default() }, clock)
                .await
        }
        target => open(&target, Some(&for_ever()), clock).await,
    }
}

fn for_ever() -> Retention {
    let kept = Duration::from_hours(24 * 365 * 100);
    Retention { results: kept, history: kept, dead: kept, redis_history: false }
}

/// The database file that a URL names, as an absolute path; `None` if it names no file or cannot be read.
pub fn database_file(url: &str) -> Option<PathBuf> {
    match Target::parse(url).ok()? {
        Target::Sqlite(path) => Some(path),
        _ => None,
    }
}

/// Whether a URL names a store that lives in the process that opens it, so that no other one sees what it holds.
pub fn is_in_memory(url: &str) -> bool {
    matches!(Target::parse(url), Ok(Target::Memory))
}

async fn open_both(
    broker_url: &str,
    results_url: Option<&str>,
    retention: Option<&Retention>,
    clock: &Clock,
) -> Result<Stores> {
    let broker = Target::parse(broker_url)?;
    let results = results_url.map(Target::parse).transpose()?.filter(|results| *results != broker);
    let stores = open(&broker, retention, clock).await?;
    let Some(results) = results else { return Ok(stores) };
    let elsewhere = open(&results, retention, clock).await?;
    Ok(Stores {
        location: format!("{}, results in {}", stores.location, elsewhere.location),
        broker: stores.broker,
        results: elsewhere.results,
        coord: stores.coord,
        joined: false,
    })
}

/// Fresh stores in this process, gone with the last handle.
pub fn memory(clock: &Clock) -> Stores {
    Stores {
        broker: MemoryBroker::new(clock.clone()),
        results: MemoryResults::new(clock.clone()),
        coord: MemoryCoordinator::new(clock.clone()),
        joined: false,
        location: "memory:".into(),
    }
}

async fn open(target: &Target, retention: Option<&Retention>, clock: &Clock) -> Result<Stores> {
    match target {
        Target::Memory => Ok(memory(clock)),
        Target::Sqlite(path) => open_sqlite(path, retention, clock).await,
        #[cfg(feature = "redis")]
        Target::Redis(address) => open_redis(address, retention, clock).await,
    }
}

/// Opening may wait for another program's lock, so it does not happen on the runtime's own threads.
#[cfg(all(feature = "sqlite", unix))]
async fn open_sqlite(path: &Path, retention: Option<&Retention>, clock: &Clock) -> Result<Stores> {
    let (path, options, clock) = (path.to_owned(), sqlite_options(retention), clock.clone());
    let opening = tokio::task::spawn_blocking(move || SqliteStore::open(path, &options, &clock));
    let store = opening
        .await
        .map_err(|error| Error::new(Code::Internal, "opening the database was broken off").source(error))??;
    let location = format!("sqlite:{}", store.path().display());
    Ok(Stores { broker: store.clone(), results: store.clone(), coord: store, joined: true, location })
}

#[cfg(all(feature = "sqlite", unix))]
fn sqlite_options(retention: Option<&Retention>) -> SqliteOptions {
    let mut options = SqliteOptions::default();
    if let Some(kept) = retention {
        options.retention.results = kept.results;
        options.retention.history = kept.history.max(kept.results);
        options.retention.dead_letters = kept.dead;
    }
    options
}

#[cfg(feature = "redis")]
async fn open_redis(address: &RedisAddress, retention: Option<&Retention>, clock: &Clock) -> Result<Stores> {
    let mut options = RedisOptions::default();
    if let Some(kept) = retention {
        options.retention.results = kept.results;
        options.retention.dead_letters = kept.dead;
        options.retention.history = kept.redis_history.then_some(kept.history);
    }
    open_redis_with(address, &options, clock).await
}

#[cfg(feature = "redis")]
async fn open_redis_with(address: &RedisAddress, options: &RedisOptions, clock: &Clock) -> Result<Stores> {
    let store = RedisStore::connect(address, options, clock).await?;
    let location = store.location().to_owned();
    Ok(Stores { broker: store.clone(), results: store.clone(), coord: store, joined: true, location })
}

#[cfg(not(all(feature = "sqlite", unix)))]
async fn open_sqlite(_: &Path, _: Option<&Retention>, _: &Clock) -> Result<Stores> {
    if cfg!(unix) {
        return Err(crate::url::feature_missing("sqlite", "sqlite"));
    }
    let message = "this build has no adapter for `sqlite:` URLs";
    Err(cardoon_errors::Error::new(cardoon_errors::Code::FeatureMissing, message)
        .checked(format!("system: {}; the SQLite store needs Unix", std::env::consts::OS))
        .hint("name a server, such as redis://HOST; on Windows, WSL runs everything"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_errors::Code;

    #[tokio::test]
    async fn each_connection_to_memory_is_a_store_of_its_own() {
        let clock = Clock::real();
        let one = connect("memory:", None, &clock).await.unwrap();
        let other = connect("sqlite://", None, &clock).await.unwrap();
        assert!(!Arc::ptr_eq(&one.results, &other.results));
        assert_eq!(one.location, "memory:");
    }

    #[tokio::test]
    async fn a_wrong_url_of_the_results_is_noticed_before_anything_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tasks.db");
        let url = format!("sqlite:{}", file.display());
        let error = connect(&url, Some("amqp://db"), &Clock::real()).await.err().unwrap();
        assert_eq!(error.code(), Code::FeatureMissing);
        assert!(!file.exists());
    }
}
