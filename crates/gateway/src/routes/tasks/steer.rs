use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use cardoon::TypedSignature;
use cardoon_admin::failure::ErrorView;
use cardoon_admin::input;
use cardoon_admin::retry::{self, Edit};
use cardoon_broker::DeadFilter;
use cardoon_core::TaskId;
use serde_json::Value;

use crate::api::{
    EditRequest, Given, Json, Name, NoQuery, OptionalJson, Params, RevokeRequest, Revoked, RevokedTask, Sent,
};
use crate::failure::{Answer, language_of};
use crate::shared::Shared;

/// Sends a task that failed again: as it was, under its id; or otherwise, under a new one.
#[utoipa::path(
    post, path = "/tasks/{id}/retry", tag = "tasks", params(("id" = String, Path)), request_body = Option<EditRequest>,
    responses((status = 201, description = "It is sent; the id is a new one if something was changed", body = Sent))
)]
pub(in crate::routes) async fn retry(
    State(shared): State<Shared>,
    Name(id): Name,
    _: Params<NoQuery>,
    OptionalJson(request): OptionalJson<EditRequest>,
) -> Answer<Given<Sent>> {
    let id = input::task_id(&id)?;
    let id = match request.edit()? {
        None => {
            retry::retry(shared.stores(), &id).await?;
            id
        }
        Some(edit) => send_edited(&shared, &id, edit).await?,
    };
    Ok(Given(StatusCode::CREATED, Sent { id: id.to_string(), repeated: false }))
}

/// The dead letter is removed when the new task is stored, so that a later redrive does not send the old one too.
async fn send_edited(shared: &Shared, id: &TaskId, edit: Edit) -> Answer<TaskId> {
    let stores = shared.stores();
    let letter = retry::letter(stores, id).await?;
    let signature = retry::edited(&letter, edit, &shared.limits)?;
    let new = shared.sender.send(TypedSignature::<Value>::from(signature)).await?;
    let only = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
    if let Err(error) = stores.broker.dead_letters().purge(&only).await {
        tracing::warn!(%error, %id, "the dead letter of a task that was sent anew is still there");
    }
    Ok(new)
}

/// Revokes tasks: those that wait are not executed, those that run are told.
#[utoipa::path(post, path = "/tasks/revoke", tag = "tasks", request_body = RevokeRequest, responses((status = 200, body = Revoked)))]
pub(in crate::routes) async fn revoke(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    headers: HeaderMap,
    Json(request, _): Json<RevokeRequest>,
) -> Answer<Given<Revoked>> {
    let ids = request.ids()?;
    let answers = cardoon_admin::revoke(shared.stores(), &ids).await?;
    let language = language_of(&headers);
    let results = ids.iter().zip(answers).map(|(id, answer)| {
        let (revoked, error) = match answer {
            Ok(revoked) => (Some(revoked), None),
            Err(error) => (None, Some(ErrorView::of(&error, language).error)),
        };
        RevokedTask { id: id.to_string(), revoked, error }
    });
    Ok(Given::ok(Revoked { results: results.collect() }))
}
