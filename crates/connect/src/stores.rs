//! Opening what a URL names.

use std::sync::Arc;

use cardoon_broker::Broker;
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
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
    let stores = open(&broker, clock).await?;
    let Some(results) = results else { return Ok(stores) };
    let elsewhere = open(&results, clock).await?;
    Ok(Stores {
        location: format!("{}, results in {}", stores.location, elsewhere.location),
        broker: stores.broker,
        results: elsewhere.results,
        joined: false,
    })
}

async fn open(target: &Target, clock: &Clock) -> Result<Stores> {
    let _ = clock;
    Err(crate::url::feature_missing(&target.location(), "sqlite"))
}
