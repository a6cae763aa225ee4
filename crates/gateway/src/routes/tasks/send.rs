use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use cardoon::TypedSignature;
use cardoon_core::Signature;
use cardoon_runtime::ids;
use serde_json::Value;

use super::key::idempotency_key;
use crate::api::{Given, Json, NoQuery, Params, SendRequest, Sent, queue_of};
use crate::failure::Answer;
use crate::sending::{Once, digest};
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
    let require_worker = request.require_worker;
    let signature = request.signature(ids::task_id, shared.clock.now())?;
    if require_worker {
        cardoon_admin::workers::require(shared.stores(), &signature.task, &queue_of(&signature)).await?;
    }
    if let Some(key) = idempotency_key(&headers)? {
        return send_once(&shared, key, signature, &body).await;
    }
    let id = shared.sender.send(TypedSignature::<Value>::from(signature)).await?;
    Ok(Given(StatusCode::CREATED, Sent { id: id.to_string(), repeated: false }))
}

/// Sends it unless that was done. Whoever comes while it is not marked as sent sends it again, under the same id: the one who
/// was first may have died before it sent it.
async fn send_once(
    shared: &Shared,
    key: &str,
    mut signature: Signature,
    body: &Bytes,
) -> Answer<Given<Sent>> {
    let coord = shared.stores().coord.as_ref();
    let own = signature.options.id.take().unwrap_or_else(ids::task_id);
    let once = Once::reserve(coord, key, digest(body), vec![own.clone()]).await?;
    let id = once.ids().first().cloned().unwrap_or(own);
    let repeated = once.is_repeat;
    if !once.is_published() {
        signature.options.id = Some(id.clone());
        let call = TypedSignature::<Value>::from(signature);
        shared.sender.send(if repeated { call.resent() } else { call }).await?;
        once.mark_published(coord).await;
    }
    let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok(Given(status, Sent { id: id.to_string(), repeated }))
}
