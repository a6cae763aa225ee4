use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use cardoon::{TaskHandle, TypedSignature};
use cardoon_admin::failure::ErrorView;
use cardoon_core::{Signature, TaskId};
use cardoon_errors::{Language, Result};
use cardoon_runtime::ids;
use serde_json::Value;

use super::key::idempotency_key;
use crate::api::{BatchAnswer, BatchRequest, Given, Json, NoQuery, Params, SentItem, queue_of};
use crate::failure::Answer;
use crate::sending::{Once, digest};
use crate::shared::Shared;

/// Sends up to 1000 tasks. A mistake in one of them refuses them all; what the store answers is told of each.
#[utoipa::path(
    post, path = "/tasks/batch", tag = "tasks", request_body = BatchRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "As for a single task, for all of them together")),
    responses(
        (status = 201, description = "All are sent", body = BatchAnswer),
        (status = 200, description = "They were sent before", body = BatchAnswer),
        (status = 207, description = "Some are not sent", body = BatchAnswer),
    )
)]
pub(in crate::routes) async fn send_batch(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    headers: HeaderMap,
    Json(request, body): Json<BatchRequest>,
) -> Answer<Given<BatchAnswer>> {
    request.check()?;
    let signatures = read(&shared, request).await?;
    if let Some(key) = idempotency_key(&headers)? {
        return send_once(&shared, key, signatures, &body).await;
    }
    let ids = ids_of(&signatures);
    Ok(answer(ids, send_all(&shared, signatures, false).await, false))
}

async fn read(shared: &Shared, request: BatchRequest) -> Result<Vec<Signature>> {
    let now = shared.clock.now();
    let mut signatures = Vec::with_capacity(request.tasks.len());
    for (place, task) in request.tasks.into_iter().enumerate() {
        let of_place = |error: cardoon_errors::Error| error.checked(format!("tasks[{place}]"));
        let require_worker = task.require_worker;
        let signature = task.signature(ids::task_id, now).map_err(of_place)?;
        if require_worker {
            let queue = queue_of(&signature);
            cardoon_admin::workers::require(shared.stores(), &signature.task, &queue)
                .await
                .map_err(of_place)?;
        }
        signatures.push(signature);
    }
    Ok(signatures)
}

async fn send_once(
    shared: &Shared,
    key: &str,
    mut signatures: Vec<Signature>,
    body: &Bytes,
) -> Answer<Given<BatchAnswer>> {
    let coord = shared.stores().coord.as_ref();
    let once = Once::reserve(coord, key, digest(body), ids_of(&signatures)).await?;
    let ids = once.ids().to_vec();
    let repeated = once.is_repeat;
    if once.is_published() {
        let sent = ids.iter().map(|_| Ok(())).collect();
        return Ok(answer(ids, sent, true));
    }
    for (signature, id) in signatures.iter_mut().zip(&ids) {
        signature.options.id = Some(id.clone());
    }
    let answers = send_all(shared, signatures, repeated).await;
    if answers.iter().all(Result::is_ok) {
        once.mark_published(coord).await;
    }
    Ok(answer(ids, answers, repeated))
}

async fn send_all(shared: &Shared, signatures: Vec<Signature>, resent: bool) -> Vec<Result<()>> {
    let call = |signature| {
        let call = TypedSignature::<Value>::from(signature);
        if resent { call.resent() } else { call }
    };
    let answers = shared.app.send_each(signatures.into_iter().map(call).collect::<Vec<_>>()).await;
    answers.into_iter().map(|answer| answer.map(|_: TaskHandle<Value>| ())).collect()
}

fn ids_of(signatures: &[Signature]) -> Vec<TaskId> {
    signatures.iter().filter_map(|signature| signature.options.id.clone()).collect()
}

fn answer(ids: Vec<TaskId>, answers: Vec<Result<()>>, repeated: bool) -> Given<BatchAnswer> {
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    let status = match (failed, repeated) {
        (0, false) => StatusCode::CREATED,
        (0, true) => StatusCode::OK,
        _ => StatusCode::MULTI_STATUS,
    };
    let item = |(id, answer): (TaskId, Result<()>)| SentItem {
        id: id.to_string(),
        error: answer.err().map(|error| ErrorView::of(&error, Language::English).error),
    };
    let sent = answers.len() - failed;
    Given(
        status,
        BatchAnswer { sent, failed, repeated, results: ids.into_iter().zip(answers).map(item).collect() },
    )
}
