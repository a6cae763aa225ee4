use std::time::Duration;

use axum::extract::State;
use cardoon_core::TaskId;
use cardoon_errors::{Code, Error, Result};

use crate::failure::Answer;
use crate::shared::Shared;

/// How long the stores may take to answer.
const STORES: Duration = Duration::from_secs(2);

/// Whether the process is alive. It asks nobody else: a store that is away is no reason to restart a gateway.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Whether requests would be served: the stores answer, and the gateway is not about to end.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()), responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn readyz(State(shared): State<Shared>) -> Answer<&'static str> {
    if shared.services.stopping().is_cancelled() {
        return Err(Error::new(Code::StoreClosed, "the gateway is being closed").into());
    }
    tokio::select! {
        answered = ask(&shared) => answered?,
        () = shared.clock.sleep(STORES) => {
            let message = format!("the store did not answer within {} s", STORES.as_secs());
            return Err(Error::new(Code::NoAnswer, message).into());
        }
    }
    Ok("ok\n")
}

/// Asks for what is not there.
async fn ask(shared: &Shared) -> Result<()> {
    let stores = shared.stores();
    stores.coord.get("gateway/readyz").await?;
    if !stores.joined
        && let Ok(id) = TaskId::new("gateway-readyz")
    {
        stores.results.get(&[id]).await?;
    }
    Ok(())
}
