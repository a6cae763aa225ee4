use axum::extract::Request;
use axum::http::StatusCode;

use crate::api::bad_request;
use crate::failure::{Answer, Failure};

/// Largest line and headers of a request, in bytes; also what waits to be read or written of a connection.
pub(super) const LARGEST: usize = 64 << 10;

/// Fails for a request whose line and headers are too large. A connection reads on for as long as its buffer is not full, and then
/// a piece as large as the buffer, so that it lets pass up to twice as much.
pub(crate) fn check_head(request: &Request) -> Answer<()> {
    if size(request) <= LARGEST {
        return Ok(());
    }
    let error =
        bad_request(format!("the line and the headers of the request have more than {LARGEST} bytes"));
    Err(Failure::with_status(error, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE))
}

/// About what was read: method, path, and each header with a colon, a blank and the end of its line.
fn size(request: &Request) -> usize {
    const AROUND: usize = ": \r\n".len();
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + AROUND);
    request.method().as_str().len() + path + headers.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    #[test]
    fn the_path_and_all_headers_count_together() {
        let is_taken = |path: usize, header: usize| {
            let path = format!("/{}", "x".repeat(path));
            let request = Request::builder().uri(path).header("x", "x".repeat(header)).header("x", "x");
            check_head(&request.body(Body::empty()).unwrap()).is_ok()
        };
        assert!(is_taken(0, LARGEST - 100) && is_taken(30_000, 30_000));
        assert!(!is_taken(0, LARGEST) && !is_taken(30_000, 40_000));
    }

    #[test]
    fn what_is_too_large_is_told_as_that() {
        let request = Request::builder().header("x", "x".repeat(70_000)).body(Body::empty()).unwrap();
        let response = axum::response::IntoResponse::into_response(check_head(&request).unwrap_err());
        assert_eq!(response.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    }
}
