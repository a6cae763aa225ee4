//! Reading requests: bounded in size and time, and with an error that says where something is wrong.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use bytes::{Bytes, BytesMut};
use cardoon_errors::{Code, Error, Language};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use super::bad_request;
use crate::failure::{Failure, language_of};
use crate::shared::Shared;

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(30);

/// A JSON body, and its bytes.
pub(crate) struct Json<T>(pub(crate) T, pub(crate) Bytes);

/// A JSON body that may be left out.
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// The parameters after `?`.
pub(crate) struct Params<T>(pub(crate) T);

/// A name in the path.
pub(crate) struct Name(pub(crate) String);

/// The language of whoever reads the answer.
pub(crate) struct Reader(pub(crate) Language);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Failure> {
        if !is_json(request.headers()) {
            let error = bad_request("the body is not said to be JSON")
                .hint("add the header `Content-Type: application/json`");
            return Err(Failure::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let bytes = body(request, shared).await?;
        Ok(Self(parse(&bytes)?, bytes))
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Shared> for OptionalJson<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Failure> {
        let is_json = is_json(request.headers());
        let bytes = body(request, shared).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if is_json {
            return parse(&bytes).map(Self);
        }
        let error = bad_request("there is a body, and nothing says that it is JSON");
        Err(Failure::with_status(error, StatusCode::UNSUPPORTED_MEDIA_TYPE))
    }
}

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Failure> {
        let query = Query::<T>::from_request_parts(parts, shared).await;
        query.map(|Query(value)| Self(value)).map_err(|rejection| bad_request(rejection.body_text()).into())
    }
}

impl FromRequestParts<Shared> for Name {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Failure> {
        let path = Path::<String>::from_request_parts(parts, shared).await;
        path.map(|Path(name)| Self(name)).map_err(|rejection| bad_request(rejection.body_text()).into())
    }
}

impl FromRequestParts<Shared> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Infallible> {
        Ok(Self(language_of(&parts.headers)))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        use serde_json::error::Category;
        let what = match error.classify() {
            Category::Data => "a field of the body is not as it must be",
            Category::Io | Category::Syntax | Category::Eof => "the body is no JSON",
        };
        bad_request(what).checked(cardoon_admin::text::cut(&error.to_string(), 300)).into()
    })
}

/// The whole body. Nothing more is read of one that is too large.
async fn body(request: Request, shared: &Shared) -> Result<Bytes, Failure> {
    let most = shared.body_limit;
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if length.and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    tokio::select! {
        body = gather(request.into_body(), most) => body,
        () = shared.clock.sleep(BODY) => Err(too_slow()),
    }
}

/// What comes in one piece is not copied.
async fn gather(mut body: axum::body::Body, most: usize) -> Result<Bytes, Failure> {
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| bad_request("the body broke off").checked(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > most {
            return Err(too_large(most));
        }
        if first.is_empty() && all.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&data);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large(most: usize) -> Failure {
    Error::new(Code::TooLarge, format!("the body of the request is larger than {most} bytes"))
        .hint("store the data elsewhere, and send where it is; the limit is the setting gateway.body_limit")
        .into()
}

fn too_slow() -> Failure {
    let message = format!("the body of the request did not come within {} s", BODY.as_secs());
    let error = Error::new(Code::RequestTimedOut, message).hint("repeat the request: nothing was done");
    Failure::with_status(error, StatusCode::REQUEST_TIMEOUT)
}
