use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;

use crate::api::{EventQuery, Params};
use crate::events::Reader;
use crate::failure::Answer;
use crate::shared::Shared;

/// Events as they happen, as server-sent events. Each has an id; whoever connects again with the header `Last-Event-ID` goes on
/// after it. An event `gap` tells that some were missed, and how many if that is known.
#[utoipa::path(
    get, path = "/events", tag = "events",
    params(EventQuery, ("Last-Event-ID" = Option<String>, Header, description = "Go on after this event")),
    responses((status = 200, body = String, content_type = "text/event-stream"))
)]
pub(super) async fn follow(
    State(shared): State<Shared>,
    Params(query): Params<EventQuery>,
    headers: HeaderMap,
) -> Answer<impl IntoResponse> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let place = query.place(last)?;
    let reader = Reader::new(&shared.hub, query.filter()?, place, shared.services.stopping());
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(reader.stream())))
}
