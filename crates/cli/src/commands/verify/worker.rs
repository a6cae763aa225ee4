//! A worker that a verification has started takes the stores of the verification, and ends with it.

use cardoon_drills::verify;
use cardoon_errors::Result;
use cardoon_settings::Flag;

use crate::arguments::flag;
use crate::exit::Exit;

/// The stores of the environment, before those that the application names. They may hold a password, so they stand on no
/// command line, which process lists would show.
pub(crate) fn flags() -> Vec<Flag> {
    let of = |name, variable| flag(name, variable, std::env::var(variable).ok().as_deref());
    let stores = [of("broker.url", "CARDOON_BROKER"), of("results.url", "CARDOON_RESULTS")];
    stores.into_iter().flatten().filter(|_| verify::is_of_verification()).collect()
}

/// Runs a worker, for as long as its verification lives if one has started it.
pub(crate) async fn with_verification(worker: impl Future<Output = Result<Exit>>) -> Result<Exit> {
    if !verify::is_of_verification() {
        return worker.await;
    }
    verify::while_parent_lives(worker).await.map(|exit| exit.unwrap_or(Exit::Done))
}
