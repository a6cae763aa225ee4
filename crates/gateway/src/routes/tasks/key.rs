use axum::http::HeaderMap;
use cardoon_errors::Result;

use crate::api::bad_request;

/// The name of the header with the key of a request that may be repeated.
const KEY: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The idempotency key, if the request has one.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=LONGEST).contains(&key.len()) => Ok(Some(key)),
        _ => {
            Err(bad_request(format!("the header `Idempotency-Key` has 1 to {LONGEST} printable characters")))
        }
    }
}
