use std::collections::HashSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cardoon::TaskHandle;
use cardoon_admin::failure::ErrorView;
use cardoon_core::TaskId;
use cardoon_errors::{Error, Language, Result};
use serde_json::Value;

use super::call::Call;
use super::key::idempotency_key;
use crate::api::{BatchAnswer, BatchRequest, Given, Json, NoQuery, Params, Reader, SentItem, bad_request};
use crate::failure::Answer;
use crate::sending::{Once, digest, to_the_end};
use crate::shared::Shared;

/// What became of the tasks of a batch.
struct Outcome {
    ids: Vec<TaskId>,
    answers: Vec<Result<()>>,
    repeated: bool,
}

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
    Reader(language): Reader,
    headers: HeaderMap,
    Json(request, body): Json<BatchRequest>,
) -> Answer<Given<BatchAnswer>> {
    request.check()?;
    let calls = read(&shared, request)?;
    if let Some(key) = idempotency_key(&headers)? {
        return Ok(send_once(&shared, key, calls, digest(&body)).await?.told(language));
    }
    check(&shared, &calls).await?;
    let ids = ids_of(&calls);
    Ok(Outcome { ids, answers: send_all(&shared, calls, false).await, repeated: false }.told(language))
}

/// Errors name the place of the task that they are about.
fn read(shared: &Shared, request: BatchRequest) -> Result<Vec<Call>> {
    let now = shared.clock.now();
    let calls = request.tasks.into_iter().enumerate();
    let calls = calls.map(|(place, task)| Call::read(task, now).map_err(|error| at(place, error)));
    let calls = calls.collect::<Result<Vec<_>>>()?;
    let mut seen = HashSet::new();
    match calls.iter().position(|call| !seen.insert(&call.id)) {
        Some(place) => Err(at(place, bad_request("two tasks of the batch have the same `id`"))),
        None => Ok(calls),
    }
}

async fn check(shared: &Shared, calls: &[Call]) -> Result<()> {
    for (place, call) in calls.iter().enumerate() {
        call.check(shared.stores()).await.map_err(|error| at(place, error))?;
    }
    Ok(())
}

async fn send_once(shared: &Shared, key: &str, calls: Vec<Call>, digest: String) -> Result<Outcome> {
    let once = shared.keys.reserve(key, digest, ids_of(&calls)).await?;
    let (ids, repeated) = (once.ids().to_vec(), once.is_repeat());
    let answers = if once.is_sent() {
        ids.iter().map(|_| Ok(())).collect()
    } else {
        to_the_end(&shared.services, deliver(shared.clone(), once, calls)).await?
    };
    Ok(Outcome { ids, answers, repeated })
}

async fn deliver(shared: Shared, mut once: Once, mut calls: Vec<Call>) -> Result<Vec<Result<()>>> {
    if !once.is_repeat()
        && let Err(error) = check(&shared, &calls).await
    {
        once.settle(&[Err::<(), _>(error.clone())]).await;
        return Err(error);
    }
    for (call, id) in calls.iter_mut().zip(once.ids()) {
        call.id = id.clone();
    }
    let answers = send_all(&shared, calls, once.is_repeat()).await;
    once.settle(&answers).await;
    Ok(answers)
}

async fn send_all(shared: &Shared, calls: Vec<Call>, may_be_sent: bool) -> Vec<Result<()>> {
    let signatures: Vec<_> = calls.into_iter().map(|call| call.into_signature(may_be_sent)).collect();
    let answers = shared.app.send_each(signatures).await;
    answers.into_iter().map(|answer| answer.map(|_: TaskHandle<Value>| ())).collect()
}

fn ids_of(calls: &[Call]) -> Vec<TaskId> {
    calls.iter().map(|call| call.id.clone()).collect()
}

fn at(place: usize, error: Error) -> Error {
    error.checked(format!("tasks[{place}]"))
}

impl Outcome {
    fn told(self, language: Language) -> Given<BatchAnswer> {
        let Self { ids, answers, repeated } = self;
        let failed = answers.iter().filter(|answer| answer.is_err()).count();
        let status = match (failed, repeated) {
            (0, false) => StatusCode::CREATED,
            (0, true) => StatusCode::OK,
            _ => StatusCode::MULTI_STATUS,
        };
        let sent = answers.len() - failed;
        let item = |(id, answer): (TaskId, Result<()>)| SentItem {
            id: id.to_string(),
            error: answer.err().map(|error| ErrorView::of(&error, language).error),
        };
        let results = ids.into_iter().zip(answers).map(item).collect();
        Given(status, BatchAnswer { sent, failed, repeated, results })
    }
}
