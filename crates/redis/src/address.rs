//! What a URL says about a server.

use std::fmt;
use std::path::PathBuf;

use cardoon_errors::{Code, Error, Result};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// What to do about a URL that cannot be read, if nothing else is known.
const FORM: &str = "write redis://USER:PASSWORD@HOST:PORT/DATABASE; in user and password, \
                    / is %2F, ? is %3F, # is %23, @ is %40 and % is %25";

const CUT_LOGIN: &str = "an `@` comes after a `/` or `?`, as if the password had one of them in it";

/// A server, how to log in, and the database. Its `Debug` form holds no password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    pub(crate) place: Place,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) database: i64,
}

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Host {
        host: String,
        port: u16,
        tls: Option<Tls>,
    },
    Socket(PathBuf),
    /// The primary that these sentinels know under this name.
    Sentinel {
        sentinels: Vec<(String, u16)>,
        name: String,
    },
}

/// How the server's certificate is checked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tls {
    /// A file of certificates to trust instead of the system's.
    pub(crate) authorities: Option<PathBuf>,
}

impl RedisAddress {
    /// Reads a URL.
    ///
    /// | URL | server |
    /// |---|---|
    /// | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | one server; `valkey://` means the same |
    /// | `rediss://…[?ssl_ca_certs=FILE]` | the same over TLS |
    /// | `redis+socket:///PATH[?db=DATABASE]` | a Unix socket |
    /// | `redis+sentinel://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]` | the primary of that name |
    ///
    /// # Errors
    ///
    /// `CD1004`, without any part of the URL that may hold a password.
    pub fn parse(url: &str) -> Result<Self> {
        Self::read(url).map_err(|error| {
            let error = if has_cut_login(url) { error.checked(CUT_LOGIN) } else { error };
            if error.next_step().is_some() { error } else { error.hint(FORM) }
        })
    }

    fn read(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once("://").ok_or_else(|| bad("it has no `://`"))?;
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        let options = Options::parse(options)?;
        let parts = Parts::of(rest)?;
        let address = match scheme.to_ascii_lowercase().as_str() {
            "redis" | "valkey" => parts.host(None),
            "rediss" | "valkeys" => parts.host(Some(Tls { authorities: options.authorities.clone() })),
            "redis+socket" => parts.socket(),
            "redis+sentinel" => parts.sentinel(),
            _ => Err(bad("its scheme is not one of Redis")),
        }?;
        let database = options.database.unwrap_or(address.database);
        Ok(Self { database, ..address })
    }

    /// Whether a URL of this scheme is read here.
    pub fn is_scheme(scheme: &str) -> bool {
        ["redis", "valkey", "rediss", "valkeys", "redis+socket", "redis+sentinel"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
    }

    /// The URL without user and password.
    pub fn location(&self) -> String {
        match &self.place {
            Place::Host { host, port, tls } => {
                let (scheme, host) = (if tls.is_some() { "rediss" } else { "redis" }, bracketed(host));
                format!("{scheme}://{host}:{port}/{}", self.database)
            }
            Place::Socket(path) => format!("redis+socket://{}?db={}", path.display(), self.database),
            Place::Sentinel { sentinels, name } => {
                let hosts: Vec<String> =
                    sentinels.iter().map(|(host, port)| format!("{}:{port}", bracketed(host))).collect();
                format!("redis+sentinel://{}/{name}/{}", hosts.join(","), self.database)
            }
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

/// A URL after its scheme and before its options.
struct Parts<'a> {
    user: Option<String>,
    password: Option<String>,
    hosts: &'a str,
    path: &'a str,
}

impl<'a> Parts<'a> {
    fn of(rest: &'a str) -> Result<Self> {
        let (authority, path) = match rest.find('/') {
            Some(slash) => (&rest[..slash], &rest[slash..]),
            None => (rest, ""),
        };
        let (login, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Ok(Self { user: decoded(user)?, password: decoded(password)?, hosts, path })
    }

    fn host(self, tls: Option<Tls>) -> Result<RedisAddress> {
        let (host, port) = host_and_port(self.hosts, PORT)?;
        let database = database(self.path.trim_matches('/'))?;
        Ok(self.at(Place::Host { host, port, tls }, database))
    }

    fn socket(self) -> Result<RedisAddress> {
        if !self.path.starts_with('/') || self.path.len() < 2 {
            return Err(bad("it names no socket").hint("write redis+socket:///path/to/redis.sock"));
        }
        let path = decoded(self.path)?.unwrap_or_default();
        Ok(self.at(Place::Socket(path.into()), 0))
    }

    fn sentinel(self) -> Result<RedisAddress> {
        let sentinels = self.hosts.split(',').map(|host| host_and_port(host, SENTINEL_PORT));
        let sentinels = sentinels.collect::<Result<Vec<_>>>()?;
        let path = self.path.trim_matches('/');
        let (name, number) = path.split_once('/').unwrap_or((path, ""));
        if name.is_empty() {
            return Err(bad("it does not name the primary")
                .hint("write redis+sentinel://host:26379,host2:26379/NAME/0"));
        }
        let name = decoded(name)?.unwrap_or_default();
        let database = database(number)?;
        Ok(self.at(Place::Sentinel { sentinels, name }, database))
    }

    fn at(self, place: Place, database: i64) -> RedisAddress {
        RedisAddress { place, user: self.user, password: self.password, database }
    }
}

#[derive(Default)]
struct Options {
    database: Option<i64>,
    authorities: Option<PathBuf>,
}

impl Options {
    fn parse(text: &str) -> Result<Self> {
        let mut options = Self::default();
        for option in text.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            match name {
                "db" | "virtual_host" => options.database = Some(database(value)?),
                "ssl_ca_certs" => options.authorities = decoded(value)?.map(PathBuf::from),
                "ssl_cert_reqs" if matches!(value, "required" | "CERT_REQUIRED") => {}
                "ssl_cert_reqs" => {
                    return Err(bad(
                        "certificates are always checked, so `ssl_cert_reqs` must be `required`",
                    )
                    .hint("name the server's authority: ?ssl_ca_certs=/path/to/ca.pem"));
                }
                // It may be the end of a password.
                _ if text.contains('@') => return Err(bad("what follows `?` is no option")),
                _ => return Err(bad(&format!("the option `{name}` is not known"))),
            }
        }
        Ok(options)
    }
}

fn host_and_port(text: &str, default: u16) -> Result<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(|| bad("a `[` is not closed"))?;
            (host, after.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        None | Some("") => default,
        Some(port) => port.parse().map_err(|_| bad("the port is no number from 0 to 65535"))?,
    };
    Ok((if host.is_empty() { "localhost".into() } else { host.into() }, port))
}

fn database(text: &str) -> Result<i64> {
    let number = if text.is_empty() { "0" } else { text };
    number.parse().ok().filter(|number| *number >= 0).ok_or_else(|| bad("the database is no number"))
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.into() }
}

/// `text` without its percent signs; `None` if it is empty.
fn decoded(text: &str) -> Result<Option<String>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.ok_or_else(|| bad("a `%` is not followed by two hexadecimal digits"))?);
        rest = &after[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| bad("what stands for `%` is not UTF-8"))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Whether a `/` or `?` ends the part of the URL that holds the login before the login is over.
fn has_cut_login(url: &str) -> bool {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find(['/', '?']).is_some_and(|end| rest[end..].contains('@'))
}

/// The URL itself is left out: where it is wrong, a password may stand anywhere in it.
fn bad(why: &str) -> Error {
    Error::new(Code::BadUrl, format!("cannot read the Redis URL: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> RedisAddress {
        RedisAddress::parse(url).unwrap()
    }

    #[test]
    fn the_forms_of_the_documentation_are_read() {
        assert_eq!(parse("redis://").location(), "redis://localhost:6379/0");
        assert_eq!(parse("valkey://db:6380/2").location(), "redis://db:6380/2");
        assert_eq!(parse("rediss://[::1]").location(), "rediss://[::1]:6379/0");
        assert_eq!(
            parse("redis+socket:///run/redis.sock?db=3").location(),
            "redis+socket:///run/redis.sock?db=3"
        );
        let sentinel = "redis+sentinel://a,b:26380/main/1";
        assert_eq!(parse(sentinel).location(), "redis+sentinel://a:26379,b:26380/main/1");
    }

    #[test]
    fn logins_are_decoded_and_never_shown() {
        let address = parse("redis://ann:s3%40cret@db");
        assert_eq!((address.user.as_deref(), address.password.as_deref()), (Some("ann"), Some("s3@cret")));
        assert_eq!(parse("redis://:pw@db").user, None);
        assert!(!format!("{address:?}").contains("cret"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_without_the_password() {
        for url in [
            "redis://:s3cret@db:port",
            "redis://:s3cret@db/x",
            "redis://:s3cret%zz@db",
            "redis+socket://:s3cret@host",
            "redis+sentinel://:s3cret@a",
            "redis://:s3cret@db?colour=red",
            "rediss://:s3cret@db?ssl_cert_reqs=none",
            "redis://:pw?s3cret@db",
            "redis://:pw?s3cret=pw@db",
        ] {
            let error = RedisAddress::parse(url).unwrap_err();
            assert_eq!(error.code(), Code::BadUrl, "{url}");
            assert!(error.next_step().is_some(), "{error:?}");
            assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }

    #[test]
    fn of_a_password_that_ends_its_part_of_the_url_it_is_said_how_to_write_it() {
        let read = |url| RedisAddress::parse(url).unwrap_err();
        for url in ["redis://:s3cret/PW@db:6379/0", "redis://:s3cret?PW@db", "redis://ann:12/34@db"] {
            let error = read(url);
            assert_eq!(
                (error.findings(), error.next_step()),
                (&[CUT_LOGIN.to_owned()][..], Some(FORM)),
                "{url}"
            );
        }
        let error = read("redis://:s3cret%zz@db");
        assert_eq!((error.findings().len(), error.next_step()), (0, Some(FORM)));
        assert_eq!(parse("redis://:s%2Fc%3Fr%25@db").password.as_deref(), Some("s/c?r%"));
    }
}
