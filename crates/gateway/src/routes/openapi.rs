use std::sync::OnceLock;

use axum::http::header;
use axum::response::IntoResponse;
use bytes::Bytes;
use cardoon_admin::failure::ErrorView;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi as Description, Ref, ResponseBuilder};
use utoipa::{OpenApi, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;

use crate::failure::{JSON, json_bytes};

#[derive(OpenApi)]
#[openapi(
    info(title = "Cardoon", description = "Tasks over HTTP: send, look, steer."),
    components(schemas(ErrorView)),
    tags(
        (name = "tasks", description = "Sending tasks and looking after them"),
        (name = "queues", description = "Queues and what waits in them"),
        (name = "dead", description = "Messages that could not be executed"),
        (name = "workers", description = "Workers that are alive"),
        (name = "events", description = "What happens, as it happens"),
        (name = "help", description = "What may be wrong, and what errors mean"),
        (name = "health", description = "For probes and scrapers"),
    )
)]
struct Base;

/// The description of all paths, made of the code.
pub fn description() -> Description {
    let of_api =
        super::sending().merge(super::reading()).merge(super::controlling()).merge(super::explaining());
    let beside = super::metering().merge(super::probing());
    let router = OpenApiRouter::with_openapi(Base::openapi()).nest(super::API, of_api).merge(beside);
    let mut description = router.into_openapi();
    add_token(&mut description);
    description.paths.paths.values_mut().for_each(|path| {
        let operations = [&mut path.get, &mut path.post];
        operations.into_iter().flatten().for_each(add_errors);
    });
    description
}

/// Any path may answer with an error, and all errors look alike.
fn add_errors(operation: &mut Operation) {
    let schema = Ref::from_schema_name(ErrorView::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let error = ResponseBuilder::new().description("An error").content("application/json", content);
    operation.responses.responses.insert("default".into(), error.build().into());
}

/// Whether a token is needed depends on the gateway, so calls without one are described too.
fn add_token(description: &mut Description) {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = description.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let none = SecurityRequirement::default();
    description.security = Some(vec![none, SecurityRequirement::new("token", Vec::<String>::new())]);
}

pub(super) async fn show() -> impl IntoResponse {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| json_bytes(&description()));
    ([(header::CONTENT_TYPE, JSON)], written.clone())
}
