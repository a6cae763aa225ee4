//! The server of a URL, so that a proxy can stand before it.

use super::Urls;

/// Host and port of a plain Redis URL; `None` for a file, a socket, TLS or sentinels, which no proxy can stand before.
pub(super) fn server(url: &str) -> Option<(String, u16)> {
    split(url).map(|parts| parts.host)
}

/// The same stores, with their server at another port of this machine.
pub(super) fn moved(urls: &Urls, port: u16) -> Urls {
    let moved = |url: &str| {
        let Some(Parts { scheme, login, rest, .. }) = split(url) else { return url.to_owned() };
        format!("{scheme}://{login}127.0.0.1:{port}{rest}")
    };
    let same = |results: &&String| server(results) == server(&urls.broker);
    let results =
        urls.results.as_ref().map(|url| Some(url).filter(same).map_or_else(|| url.clone(), |url| moved(url)));
    Urls { broker: moved(&urls.broker), results }
}

struct Parts<'a> {
    scheme: &'a str,
    /// With its `@`; empty if there is none.
    login: &'a str,
    host: (String, u16),
    /// From the path on.
    rest: &'a str,
}

fn split(url: &str) -> Option<Parts<'_>> {
    let (scheme, after) = url.split_once("://")?;
    if !["redis", "valkey"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return None;
    }
    let (authority, rest) = after.split_at(after.find(['/', '?']).unwrap_or(after.len()));
    let (login, place) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    Some(Parts { scheme, login, host: host_and_port(place)?, rest })
}

fn host_and_port(place: &str) -> Option<(String, u16)> {
    const PORT: u16 = 6379;
    let (host, port) = match place.strip_prefix('[') {
        Some(v6) => v6.split_once(']').map(|(host, port)| (host, port.strip_prefix(':')))?,
        None => place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    let port = port.filter(|port| !port.is_empty()).map_or(Some(PORT), |port| port.parse().ok())?;
    Some((if host.is_empty() { "localhost" } else { host }.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_of_a_plain_url_is_found() {
        assert_eq!(server("redis://"), Some(("localhost".into(), 6379)));
        assert_eq!(server("redis://ann:p%40ss@db.example:7000/3"), Some(("db.example".into(), 7000)));
        assert_eq!(server("valkey://[::1]:7000"), Some(("::1".into(), 7000)));
        for other in
            ["sqlite:a.db", "rediss://h", "redis+socket:///s", "redis+sentinel://h/name", "redis://h:x"]
        {
            assert_eq!(server(other), None, "{other}");
        }
    }

    #[test]
    fn all_but_the_server_stays() {
        let urls = Urls {
            broker: "redis://ann:pw@db:7000/3?x=1".into(),
            results: Some("redis://other:7000/1".into()),
        };
        let moved = moved(&urls, 9);
        assert_eq!(moved.broker, "redis://ann:pw@127.0.0.1:9/3?x=1");
        assert_eq!(moved.results.unwrap(), "redis://other:7000/1");
    }
}
