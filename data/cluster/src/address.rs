use std::fmt;
use std::str::FromStr;

use cardoon_errors::{Code, Error};

/// Where a scheduler listens: `HOST:PORT`, also written `tcp://HOST:PORT` as Dask does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// The port of a scheduler if nothing else is said.
    pub const PORT: u16 = 8787;

    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{self}")
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix("tcp://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let bare = bare.trim_end_matches('/');
        let (host, port) = bare.rsplit_once(':').unwrap_or((bare, ""));
        let port = if port.is_empty() { Some(Self::PORT) } else { port.parse().ok() };
        match port {
            Some(port) if is_host(host) => Ok(Self::new(host, port)),
            _ => Err(Error::new(Code::BadUrl, format!("{text:?} is no address of a cluster"))
                .hint("it is written HOST:PORT, as in 127.0.0.1:8787")),
        }
    }
}

fn is_host(host: &str) -> bool {
    let is_name =
        |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    let is_v6 = |host: &str| host.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(within) => !within.is_empty() && is_v6(within),
        None => !host.is_empty() && is_name(host),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, address) in [
            ("127.0.0.1:9000", "127.0.0.1:9000"),
            ("tcp://node-1:9000/", "node-1:9000"),
            ("localhost", "localhost:8787"),
            ("[::1]:9000", "[::1]:9000"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), address);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", ":", "a:b", "a:99999", "a b:1", "http://", "redis://a:1", "a/b:1", "user@a:1"] {
            assert_eq!(text.parse::<Address>().unwrap_err().code(), Code::BadUrl, "{text}");
        }
    }
}
