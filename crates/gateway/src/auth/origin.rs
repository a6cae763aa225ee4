//! Requests that a browser sends for other sites' pages. Programs send none of the headers that tell, and pass.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use cardoon_errors::{Code, Error, Result};

/// Fails with `CD7003` for a request of another site, and on loopback for one that names another host: a page whose
/// name was bent to this machine's address counts as being of the same origin.
pub(super) fn check(headers: &HeaderMap, on_loopback: bool) -> Result<()> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    if on_loopback && !is_of_this_machine(host) {
        return Err(refused(format!("host: {}", shown(host))));
    }
    if let Some(site) = text(header::HeaderName::from_static("sec-fetch-site"))
        && !matches!(site, "same-origin" | "none")
    {
        return Err(refused(format!("Sec-Fetch-Site: {}", shown(site))));
    }
    match text(header::ORIGIN) {
        Some(origin) if !is_origin_of(origin, host) => Err(refused(format!("origin: {}", shown(origin)))),
        _ => Ok(()),
    }
}

fn is_origin_of(origin: &str, host: &str) -> bool {
    let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    !host.is_empty() && of.is_some_and(|of| of.eq_ignore_ascii_case(host))
}

fn is_of_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(address, _)| address),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn shown(text: &str) -> String {
    cardoon_admin::text::cut(text, 100)
}

fn refused(finding: String) -> Error {
    Error::new(Code::CrossSite, "the request comes from a page of another site, or names another host")
        .checked(finding)
        .hint("call the gateway from a program, or from a page of its own")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(on_loopback: bool, pairs: &[(&'static str, &str)]) -> bool {
        let headers = pairs.iter().map(|(name, value)| {
            (header::HeaderName::from_static(name), header::HeaderValue::from_str(value).unwrap())
        });
        check(&headers.collect(), on_loopback).is_ok()
    }

    #[test]
    fn on_loopback_the_host_is_this_machine() {
        for host in ["localhost:8765", "127.0.0.1:8765", "[::1]:8765", "127.0.0.1", "LOCALHOST"] {
            assert!(passes(true, &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:8765",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "[::2]",
            "10.0.0.1",
            "",
        ] {
            assert!(!passes(true, &[("host", host)]), "{host}");
        }
        assert!(passes(false, &[("host", "tasks.example")]));
    }

    #[test]
    fn a_page_calls_its_own_origin() {
        let from = |origin| passes(true, &[("host", "localhost:8765"), ("origin", origin)]);
        assert!(from("http://localhost:8765") && from("https://LOCALHOST:8765"));
        assert!(!from("http://localhost:3000") && !from("null") && !from("http://evil.example"));
    }

    #[test]
    fn the_browser_says_whose_page_it_is() {
        let fetched = |site| passes(true, &[("host", "localhost"), ("sec-fetch-site", site)]);
        assert!(fetched("same-origin") && fetched("none"));
        assert!(!fetched("cross-site") && !fetched("same-site"));
    }
}
