//! The paths: which there are, what each needs, and how all are described.

mod dead;
mod events;
mod health;
mod help;
mod metrics;
mod openapi;
mod queues;
mod tasks;
mod workers;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use cardoon_errors::{Applied, Code, Error};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth;
use crate::failure::{Failure, dress};
use crate::shared::Shared;
pub use openapi::description;

/// What is below it is versioned.
const API: &str = "/api/v1";
/// How long a request may take until its answer begins; longer than the longest wait and the slowest body.
const REQUEST: Duration = Duration::from_secs(75);

/// All paths with the checks in front of them.
pub(crate) fn router(shared: Shared) -> Router {
    let state = || shared.clone();
    let of_api = OpenApiRouter::new()
        .merge(sending().layer(from_fn_with_state(state(), auth::allow_send)))
        .merge(reading().layer(from_fn_with_state(state(), auth::allow_read)))
        .merge(controlling().layer(from_fn_with_state(state(), auth::allow_control)))
        .merge(explaining());
    let beside = metering().layer(from_fn_with_state(state(), auth::allow_read)).merge(probing());
    let (router, _) = OpenApiRouter::new().nest(API, of_api).merge(beside).split_for_parts();
    router
        .route("/api/v1/openapi.json", get(openapi::show))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn_with_state(state(), auth::guard))
        .layer(from_fn_with_state(state(), hurry))
        .layer(from_fn(dress))
        .with_state(shared)
}

fn sending() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(tasks::send::send)).routes(routes!(tasks::batch::send_batch))
}

fn reading() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(tasks::look::list))
        .routes(routes!(tasks::look::show))
        .routes(routes!(tasks::look::why))
        .routes(routes!(queues::list))
        .routes(routes!(queues::show))
        .routes(routes!(queues::peek))
        .routes(routes!(dead::list))
        .routes(routes!(dead::show))
        .routes(routes!(workers::list))
        .routes(routes!(events::follow))
        .routes(routes!(help::doctor))
}

/// What everybody may read: it is the same everywhere.
fn explaining() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(help::codes)).routes(routes!(help::code))
}

fn controlling() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .routes(routes!(tasks::retry::retry))
        .routes(routes!(tasks::revoke::revoke))
        .routes(routes!(queues::pause))
        .routes(routes!(queues::resume))
        .routes(routes!(queues::purge))
        .routes(routes!(dead::redrive))
        .routes(routes!(dead::purge))
        .routes(routes!(workers::drain))
        .routes(routes!(workers::stop))
}

fn metering() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(metrics::metrics))
}

fn probing() -> OpenApiRouter<Shared> {
    OpenApiRouter::new().routes(routes!(health::livez)).routes(routes!(health::readyz))
}

/// Gives up a request that takes too long.
async fn hurry(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    tokio::select! {
        response = next.run(request) => response,
        () = shared.clock.sleep(REQUEST) => {
            let message = format!("the request was not answered within {} s", REQUEST.as_secs());
            let error = Error::new(Code::RequestTimedOut, message).applied(Applied::Unknown);
            Failure::with_status(error, StatusCode::GATEWAY_TIMEOUT).into_response()
        }
    }
}

async fn no_such_path(request: Request) -> Failure {
    let path = cardoon_admin::text::cut(request.uri().path(), 200);
    Error::new(Code::NoSuchPath, format!("there is nothing under {path}"))
        .hint("see /api/v1/openapi.json")
        .into()
}

async fn no_such_method(request: Request) -> Failure {
    let (method, path) = (request.method(), cardoon_admin::text::cut(request.uri().path(), 200));
    let error = Error::new(Code::NoSuchPath, format!("{path} does not take {method}"));
    Failure::with_status(error.hint("see /api/v1/openapi.json"), StatusCode::METHOD_NOT_ALLOWED)
}
