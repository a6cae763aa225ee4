//! The checks in front of the routes.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use cardoon_errors::{Code, Error, Result};

use super::{Scope, origin};
use crate::failure::{Answer, Failure};
use crate::serving::check_head;
use crate::shared::Shared;

/// Keeps out what is too large to be read, and other sites' pages.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    match check_request(&shared, &request) {
        Ok(()) => next.run(request).await,
        Err(failure) => failure.into_response(),
    }
}

fn check_request(shared: &Shared, request: &Request) -> Answer<()> {
    check_head(request)?;
    Ok(origin::check(request, shared.on_loopback)?)
}

pub(crate) async fn allow_send(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    allow(&shared, Scope::Send, request, next).await
}

pub(crate) async fn allow_read(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    allow(&shared, Scope::Read, request, next).await
}

pub(crate) async fn allow_control(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    allow(&shared, Scope::Control, request, next).await
}

/// What steers is logged, with who did it.
async fn allow(shared: &Shared, scope: Scope, request: Request, next: Next) -> Response {
    match check(shared, scope, request.headers()) {
        Ok(name) => {
            if scope == Scope::Control {
                let (method, path) = (request.method(), request.uri().path());
                tracing::info!(token = name.as_deref(), %method, path, "steered over HTTP");
            }
            next.run(request).await
        }
        Err(error) => Failure::from(error).into_response(),
    }
}

/// The name of the token that allows `scope`; none where none is needed.
fn check(shared: &Shared, scope: Scope, headers: &HeaderMap) -> Result<Option<String>> {
    let tokens = match shared.tokens.as_ref().and_then(super::TokenFile::tokens) {
        None if shared.on_loopback => return Ok(None),
        tokens => tokens.unwrap_or_default(),
    };
    let text =
        bearer(headers).ok_or_else(|| needed("the request has no header `Authorization: Bearer …`"))?;
    let token = tokens.find(text).ok_or_else(|| needed("the token of the request is not known"))?;
    if token.scopes.contains(&scope) {
        return Ok(Some(token.name.clone()));
    }
    Err(Error::new(Code::ScopeMissing, format!("the token `{}` does not allow this", token.name))
        .checked(format!("needed: {scope}"))
        .hint(format!("cardoon gateway token create NAME --scope {scope}")))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn needed(why: &str) -> Error {
    Error::new(Code::TokenNeeded, why).hint("make one: cardoon gateway token create NAME --scope send")
}
