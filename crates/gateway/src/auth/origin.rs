//! Requests that a browser sends for other sites' pages. Programs send none of the headers that tell, and pass.

use std::net::IpAddr;

use axum::extract::Request;
use cardoon_errors::{Code, Error, Result};

/// Fails with `CD7003` for a request of another site, and on loopback for one that names another host: a page whose
/// name was bent to this machine's address counts as being of the same origin. What is said twice, or otherwise in the target,
/// is believed neither time.
pub(super) fn check(request: &Request, on_loopback: bool) -> Result<()> {
    let text = |name| only(request, name);
    let host = text("host")?.unwrap_or_default();
    if let Some(target) = request.uri().authority()
        && !target.as_str().eq_ignore_ascii_case(host)
    {
        return Err(refused(format!("target: {}", shown(target.as_str()))));
    }
    if on_loopback && !is_of_this_machine(host) {
        return Err(refused(format!("host: {}", shown(host))));
    }
    if let Some(site) = text("sec-fetch-site")?
        && !matches!(site, "same-origin" | "none")
    {
        return Err(refused(format!("Sec-Fetch-Site: {}", shown(site))));
    }
    match text("origin")? {
        Some(origin) if !is_origin_of(origin, host) => Err(refused(format!("origin: {}", shown(origin)))),
        _ => Ok(()),
    }
}

/// The text of a header that may be there once.
fn only<'a>(request: &'a Request, name: &str) -> Result<Option<&'a str>> {
    let mut values = request.headers().get_all(name).iter();
    let text = values.next().map(|value| value.to_str().unwrap_or_default());
    match values.next() {
        None => Ok(text),
        Some(_) => Err(refused(format!("the header {name} is there more than once"))),
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

    fn passes(on_loopback: bool, pairs: &[(&str, &str)]) -> bool {
        passes_at("/api/v1/tasks", on_loopback, pairs)
    }

    fn passes_at(target: &str, on_loopback: bool, pairs: &[(&str, &str)]) -> bool {
        let request = pairs
            .iter()
            .fold(Request::builder().uri(target), |request, (name, value)| request.header(*name, *value));
        check(&request.body(axum::body::Body::empty()).unwrap(), on_loopback).is_ok()
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

    #[test]
    fn what_is_said_twice_or_otherwise_in_the_target_is_not_believed() {
        let here = ("host", "localhost");
        for twice in [("host", "evil.example"), ("host", "localhost")] {
            assert!(!passes(true, &[here, twice]) && !passes(false, &[here, twice]));
        }
        for (name, own) in [("origin", "http://localhost"), ("sec-fetch-site", "same-origin")] {
            assert!(passes(true, &[here, (name, own)]));
            assert!(!passes(true, &[here, (name, own), (name, "http://evil.example")]), "{name}");
        }
        assert!(passes_at("http://LOCALHOST/livez", true, &[here]));
        assert!(!passes_at("http://evil.example/livez", true, &[here]));
        assert!(!passes_at("http://evil.example/livez", false, &[("host", "tasks.example")]));
    }
}
