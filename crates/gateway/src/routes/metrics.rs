use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::failure::Answer;
use crate::shared::Shared;

/// Numbers for Prometheus. Events are counted from the first time that this is asked for, and as long as it is.
#[utoipa::path(get, path = "/metrics", tag = "health", responses((status = 200, body = String, content_type = "text/plain")))]
pub(super) async fn metrics(State(shared): State<Shared>) -> Answer<impl IntoResponse> {
    shared.hub.count_for_metrics();
    let page = crate::metrics::page(shared.stores(), &shared.meter).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], page))
}
