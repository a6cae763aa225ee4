use axum::extract::State;
use axum::http::HeaderMap;
use cardoon_errors::Result;

use super::call::Call;
use super::key::idempotency_key;
use crate::api::{Given, Json, NoQuery, Params, SendRequest, Sent};
use crate::failure::Answer;
use crate::sending::{Once, digest, to_the_end};
use crate::shared::Shared;

/// Sends a task. When this answers, it is stored as durably as the store can, and will be executed.
///
/// With the header `Idempotency-Key` the request may be repeated for a day: the same contents are answered with the same id, and
/// other contents with `CD7004`.
#[utoipa::path(
    post, path = "/tasks", tag = "tasks", request_body = SendRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "A text of your own, new for each thing to do")),
    responses((status = 201, description = "It is sent", body = Sent), (status = 200, description = "It was sent before", body = Sent))
)]
pub(in crate::routes) async fn send(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    headers: HeaderMap,
    Json(request, body): Json<SendRequest>,
) -> Answer<Given<Sent>> {
    let call = Call::read(request, shared.clock.now())?;
    if let Some(key) = idempotency_key(&headers)? {
        return send_once(&shared, key, call, digest(&body)).await;
    }
    call.check(shared.stores()).await?;
    let id = shared.sender.send(call.into_signature(false)).await?;
    Ok(Given::sent(&id, false))
}

/// Sends it unless that was done.
async fn send_once(shared: &Shared, key: &str, mut call: Call, digest: String) -> Answer<Given<Sent>> {
    let once = shared.keys.reserve(key, digest, vec![call.id.clone()]).await?;
    call.id = once.ids().first().unwrap_or(&call.id).clone();
    let answer = Given::sent(&call.id, once.is_repeat());
    if !once.is_sent() {
        to_the_end(&shared.services, deliver(shared.clone(), once, call)).await?;
    }
    Ok(answer)
}

async fn deliver(shared: Shared, mut once: Once, call: Call) -> Result<()> {
    let sent = hand_over(&shared, call, once.is_repeat()).await;
    once.settle(std::slice::from_ref(&sent)).await;
    sent
}

/// A repeat is not checked: the task may have been sent, and what was true then need not be true now.
async fn hand_over(shared: &Shared, call: Call, is_repeat: bool) -> Result<()> {
    if !is_repeat {
        call.check(shared.stores()).await?;
    }
    shared.sender.send(call.into_signature(is_repeat)).await.map(|_| ())
}
