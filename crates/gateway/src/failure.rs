//! Errors as responses: the status follows from the error, the body says what the command line would say.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cardoon_admin::failure::ErrorView;
use cardoon_errors::{Code, Error, Kind, Language};

/// The error of a request.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    error: Error,
    status: StatusCode,
}

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Failure>;

impl Failure {
    /// With a status of its own.
    pub(crate) fn with_status(error: Error, status: StatusCode) -> Self {
        Self { error, status }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { status: status_of(&error), error }
    }
}

/// The body is written by [`dress`], which knows the language.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if self.error.code() == Code::TokenNeeded {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the bodies of failures, in the language that the request prefers.
pub(crate) async fn dress(request: Request, next: Next) -> Response {
    let language = language_of(request.headers());
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    if failure.status.is_server_error() {
        tracing::warn!(error = %failure.error, "a request failed");
    }
    let body = json_bytes(&ErrorView::of(&failure.error, language));
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, JSON);
    Response::from_parts(parts, body.into())
}

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `value` as JSON. What is written here has text keys and finite numbers, so it can be written.
pub(crate) fn json_bytes<T: serde::Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value).map_or_else(|_| Bytes::from_static(b"null"), Bytes::from)
}

pub(crate) fn language_of(headers: &HeaderMap) -> Language {
    let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Language::from_locale(wanted.unwrap_or_default())
}

/// What is wrong with the request is the client's matter, with the stores the server's.
fn status_of(error: &Error) -> StatusCode {
    match (error.code(), error.kind()) {
        (Code::BadRequest, _) => StatusCode::BAD_REQUEST,
        (Code::TokenNeeded, _) => StatusCode::UNAUTHORIZED,
        (Code::ScopeMissing | Code::CrossSite, _) => StatusCode::FORBIDDEN,
        (Code::TooLarge, _) => StatusCode::PAYLOAD_TOO_LARGE,
        (Code::MessageNotKept, _) => StatusCode::CONFLICT,
        (Code::BadMessage | Code::ContentRefused | Code::BadResult, _) | (_, Kind::Invalid) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        (_, Kind::NotFound) => StatusCode::NOT_FOUND,
        (_, Kind::Conflict) => StatusCode::CONFLICT,
        (_, Kind::Unavailable | Kind::Closed) => StatusCode::SERVICE_UNAVAILABLE,
        (_, Kind::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        (_, Kind::Data | Kind::Failed | Kind::Internal) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_status_of_an_error() {
        for code in Code::ALL {
            let status = status_of(&Error::new(*code, "it failed"));
            assert!(status.is_client_error() || status.is_server_error(), "{code}");
        }
    }
}
