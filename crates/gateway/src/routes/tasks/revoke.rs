use axum::extract::State;
use cardoon_admin::failure::ErrorView;

use crate::api::{Given, Json, NoQuery, Params, Reader, RevokeRequest, Revoked, RevokedTask};
use crate::failure::Answer;
use crate::shared::Shared;

/// Revokes tasks: those that wait are not executed, those that run are told.
#[utoipa::path(post, path = "/tasks/revoke", tag = "tasks", request_body = RevokeRequest, responses((status = 200, body = Revoked)))]
pub(in crate::routes) async fn revoke(
    State(shared): State<Shared>,
    _: Params<NoQuery>,
    Reader(language): Reader,
    Json(request, _): Json<RevokeRequest>,
) -> Answer<Given<Revoked>> {
    let ids = request.ids()?;
    let answers = cardoon_admin::revoke(shared.stores(), &ids).await?;
    let results = ids.iter().zip(answers).map(|(id, answer)| {
        let (revoked, error) = match answer {
            Ok(revoked) => (Some(revoked), None),
            Err(error) => (None, Some(ErrorView::of(&error, language).error)),
        };
        RevokedTask { id: id.to_string(), revoked, error }
    });
    Ok(Given::ok(Revoked { results: results.collect() }))
}
