use std::fmt::{self, Write as _};
use std::path::Path;

/// The URL of a store. Printing it, in any way, leaves the password out.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL with its password, for the one who connects.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_password(&self.0))
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", without_password(&self.0))
    }
}

/// `url` with a relative path of a SQLite file meant from `folder`.
pub(crate) fn meant_from(url: &str, folder: &Path) -> String {
    let Some(rest) = url.strip_prefix("sqlite:") else { return url.to_owned() };
    let path = match rest.strip_prefix("//") {
        None => rest,
        // Three slashes stand before a relative path, four before an absolute one.
        Some(after) => after.strip_prefix('/').unwrap_or_default(),
    };
    if path.is_empty() || path == ":memory:" || path.contains('?') || Path::new(path).is_absolute() {
        return url.to_owned();
    }
    format!("sqlite:{}", folder.join(path).display())
}

/// `url` with `password` before its host, or as it is if it has one. `None` if it names no host.
pub(crate) fn with_password(url: &str, password: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| *scheme != "sqlite")?;
    if without_password(url) != url {
        return Some(url.to_owned());
    }
    let path = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path);
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    Some(format!("{scheme}://{user}:{}@{host}{path}", percent_encoded(password)))
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

const SECRET_PARAMETERS: [&str; 6] = ["password", "passwd", "pass", "secret", "token", "key"];

/// `url` with the password before its host, and with secret parameters, shown as `***`.
pub fn without_password(url: &str) -> String {
    let (address, query) = url.split_once('?').map_or((url, None), |(address, query)| (address, Some(query)));
    let address = match address.split_once("://") {
        // A password that holds a `?`, or a parameter that holds an `@`: nobody can tell.
        Some((scheme, rest)) if rest.contains(':') && query.is_some_and(|query| query.contains('@')) => {
            return format!("{scheme}://***");
        }
        Some((scheme, rest)) => format!("{scheme}://{}", mask_credentials(rest)),
        None => mask_all_before_host(address),
    };
    match query {
        Some(query) => format!("{address}?{}", mask_parameters(query)),
        None => address,
    }
}

/// A password may itself hold `@` and `/`, so everything up to the last `@` is taken for credentials.
fn mask_credentials(rest: &str) -> String {
    let Some((credentials, host)) = rest.rsplit_once('@') else { return rest.to_owned() };
    match credentials.split_once(':') {
        Some((user, _)) => format!("{user}:***@{host}"),
        None => rest.to_owned(),
    }
}

/// In what is no URL, or lacks its slashes, nobody can tell what is a password. The path of a file holds none.
fn mask_all_before_host(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, host)) if !address.starts_with("sqlite:") => format!("***@{host}"),
        _ => address.to_owned(),
    }
}

fn mask_parameters(query: &str) -> String {
    let mask = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret)) => {
            format!("{name}=***")
        }
        _ => pair.to_owned(),
    };
    query.split('&').map(mask).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, shown) in [
            ("redis://me:hunter2@db:6379/0", "redis://me:***@db:6379/0"),
            ("redis://:p@ss/word@db", "redis://:***@db"),
            ("redis://:pass?word@db", "redis://***"),
            ("redis://:p@ss?word=1@db", "redis://***"),
            ("hunter2@db:6379", "***@db:6379"),
            ("redis:me:hunter2@db", "***@db"),
            ("sqlite:mails@home.db", "sqlite:mails@home.db"),
            ("redis://db?password=hunter2&db=1", "redis://db?password=***&db=1"),
            ("sqlite:///tmp/a.db", "sqlite:///tmp/a.db"),
            ("sqlite:a@b:c.db", "sqlite:a@b:c.db"),
        ] {
            assert_eq!(without_password(url), shown);
            assert_eq!(format!("{:?}", StoreUrl::new(url)), format!("{shown:?}"));
        }
    }

    #[test]
    fn a_password_goes_before_the_host_of_a_url_that_has_none() {
        for (url, complete) in [
            ("redis://db:6379/0", "redis://:p%40s%2F%C3%A4@db:6379/0"),
            ("redis://", "redis://:p%40s%2F%C3%A4@"),
            ("redis://ann@db?db=1", "redis://ann:p%40s%2F%C3%A4@db?db=1"),
            ("redis+socket:///run/redis.sock", "redis+socket://:p%40s%2F%C3%A4@/run/redis.sock"),
            ("redis+sentinel://a,b:26380/main/1", "redis+sentinel://:p%40s%2F%C3%A4@a,b:26380/main/1"),
            ("redis://:own@db", "redis://:own@db"),
            ("redis://db?password=own", "redis://db?password=own"),
        ] {
            assert_eq!(with_password(url, "p@s/ä").as_deref(), Some(complete));
        }
        for url in ["sqlite:a.db", "sqlite:///a.db", "memory:", "db:6379"] {
            assert_eq!(with_password(url, "p"), None, "{url}");
        }
    }

    #[test]
    fn a_relative_path_is_meant_from_the_folder_and_all_else_stays() {
        for (url, meant) in [
            ("sqlite:a.db", "sqlite:/p/a.db"),
            ("sqlite:///sub/a.db", "sqlite:/p/sub/a.db"),
            ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
            ("sqlite:/srv/a.db", "sqlite:/srv/a.db"),
            ("sqlite://", "sqlite://"),
            ("sqlite:///:memory:", "sqlite:///:memory:"),
            ("sqlite://host/a.db", "sqlite://host/a.db"),
            ("redis://db/a.db", "redis://db/a.db"),
            ("memory:", "memory:"),
        ] {
            assert_eq!(meant_from(url, Path::new("/p")), meant);
        }
    }
}
