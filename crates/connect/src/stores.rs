//! Opening what a URL names.

use std::sync::Arc;

use cardoon_broker::Broker;
use cardoon_broker::memory::MemoryBroker;
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_results::memory::MemoryResults;
use cardoon_runtime::Clock;

use crate::url::Target;

/// The stores of an application. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    pub broker: Arc<dyn Broker>,
    pub results: Arc<dyn ResultBackend>,
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
/// | `memory:`, `sqlite://`, `sqlite:///:memory:` | in this process, gone with it |
///
/// Errors: `CD1002` for an unknown scheme, `CD1003` for an adapter that this build lacks, `CD1004` for a URL that
/// cannot be read, and what the store itself answers.
pub async fn connect(broker_url: &str, results_url: Option<&str>, clock: &Clock) -> Result<Stores> {
    let broker = Target::parse(broker_url)?;
    let results = results_url.map(Target::parse).transpose()?.filter(|results| *results != broker);
    let stores = open(&broker, clock)?;
    let Some(results) = results else { return Ok(stores) };
    let elsewhere = open(&results, clock)?;
    Ok(Stores {
        location: format!("{}, results in {}", stores.location, elsewhere.location),
        broker: stores.broker,
        results: elsewhere.results,
        joined: false,
    })
}

/// Fresh stores in this process, gone with the last handle.
pub fn memory(clock: &Clock) -> Stores {
    Stores {
        broker: MemoryBroker::new(clock.clone()),
        results: MemoryResults::new(clock.clone()),
        joined: false,
        location: Target::Memory.location(),
    }
}

fn open(target: &Target, clock: &Clock) -> Result<Stores> {
    match target {
        Target::Memory => Ok(memory(clock)),
        Target::Sqlite(path) => sqlite(path, clock),
    }
}

#[cfg(feature = "sqlite")]
fn sqlite(path: &std::path::Path, clock: &Clock) -> Result<Stores> {
    let store = cardoon_sqlite::SqliteStore::open(path, &cardoon_sqlite::SqliteOptions::default(), clock)?;
    let location = format!("sqlite:{}", store.path().display());
    Ok(Stores { broker: Arc::clone(&store) as Arc<dyn Broker>, results: store, joined: true, location })
}

#[cfg(not(feature = "sqlite"))]
fn sqlite(_path: &std::path::Path, _clock: &Clock) -> Result<Stores> {
    Err(crate::url::feature_missing("sqlite", "sqlite"))
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
        let error = connect(&url, Some("redis://db"), &Clock::real()).await.err().unwrap();
        assert_eq!(error.code(), Code::FeatureMissing);
        assert!(!file.exists());
    }
}
