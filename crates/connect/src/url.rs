//! What a store's URL means.

use std::path::PathBuf;

use cardoon_errors::{Code, Error, Result};
use cardoon_settings::without_password;

/// The store that a URL names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A store that lives in this process.
    Memory,
    /// A database file, as an absolute path.
    Sqlite(PathBuf),
    /// A database of a Redis server.
    #[cfg(feature = "redis")]
    Redis(cardoon_redis::RedisAddress),
}

impl Target {
    /// Reads `url`. SQLite URLs mean what they mean in SQLAlchemy; besides, `sqlite:PATH` is any path as it is.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| no_scheme(url))?;
        match scheme.to_ascii_lowercase().as_str() {
            "memory" => memory(url, rest),
            "sqlite" => sqlite(rest),
            #[cfg(feature = "redis")]
            known if cardoon_redis::RedisAddress::is_scheme(known) => {
                cardoon_redis::RedisAddress::parse(url).map(Target::Redis)
            }
            other => Err(no_adapter(other, url)),
        }
    }
}

fn memory(url: &str, rest: &str) -> Result<Target> {
    match rest {
        "" | "//" => Ok(Target::Memory),
        _ => Err(bad_url(url, "a store in memory has no name").hint("write memory:")),
    }
}

fn sqlite(rest: &str) -> Result<Target> {
    let path = match rest.strip_prefix("//") {
        None => rest,
        Some("" | "/") => return Ok(Target::Memory),
        Some(after) => sqlalchemy_path(after)?,
    };
    match path {
        ":memory:" => Ok(Target::Memory),
        "" => Err(bad_url("sqlite:", "it names no file").hint("write sqlite:PATH, or memory:")),
        path => std::path::absolute(path).map(Target::Sqlite).map_err(|error| {
            bad_url(&format!("sqlite:{path}"), "the path cannot be made absolute").source(error)
        }),
    }
}

/// The path in what follows `sqlite://`: three slashes in all before a relative path, four before an absolute one.
fn sqlalchemy_path(after: &str) -> Result<&str> {
    let Some(path) = after.strip_prefix('/') else {
        return Err(bad_url(&format!("sqlite://{after}"), "a SQLite URL has no host")
            .hint("write sqlite:PATH, sqlite:///relative.db or sqlite:////absolute/path.db"));
    };
    match path.split_once('?') {
        None => Ok(path),
        Some((path, _)) => Err(bad_url(&format!("sqlite:///{path}"), "options after `?` are not known here")
            .hint(format!("write sqlite:{path}"))),
    }
}

fn no_scheme(url: &str) -> Error {
    bad_url(url, "it has no scheme")
        .hint(format!("for a SQLite file, write sqlite:{}", without_password(url)))
}

fn bad_url(url: &str, why: &str) -> Error {
    Error::new(Code::BadUrl, format!("cannot read the URL `{}`: {why}", without_password(url)))
}

fn no_adapter(scheme: &str, url: &str) -> Error {
    let Some(feature) = feature_of(scheme) else {
        return Error::new(Code::UnknownScheme, format!("no store answers to `{scheme}:` URLs"))
            .checked(format!("URL: {}", without_password(url)))
            .hint("use sqlite:PATH, redis://HOST, or memory: for a store that lives in this process");
    };
    feature_missing(scheme, feature)
}

pub(crate) fn feature_missing(scheme: &str, feature: &str) -> Error {
    Error::new(Code::FeatureMissing, format!("this build has no adapter for `{scheme}:` URLs"))
        .checked(format!("cargo feature `{feature}`: absent"))
        .hint(format!("use a build of Cardoon that has the cargo feature `{feature}`"))
}

/// The cargo feature whose adapter answers to `scheme`.
fn feature_of(scheme: &str) -> Option<&'static str> {
    match scheme {
        "redis" | "rediss" | "redis+socket" | "redis+sentinel" | "valkey" | "valkeys" => Some("redis"),
        "amqp" | "amqps" => Some("amqp"),
        "kafka" => Some("kafka"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn absolute(path: &str) -> Target {
        Target::Sqlite(std::path::absolute(path).unwrap())
    }

    #[test]
    fn sqlite_urls_mean_what_they_mean_in_sqlalchemy() {
        assert_eq!(Target::parse("sqlite:///tasks.db").unwrap(), absolute("tasks.db"));
        assert_eq!(Target::parse("sqlite:////var/tasks.db").unwrap(), absolute("/var/tasks.db"));
        assert_eq!(Target::parse("sqlite://").unwrap(), Target::Memory);
        assert_eq!(Target::parse("sqlite:///:memory:").unwrap(), Target::Memory);
    }

    #[test]
    fn the_short_form_takes_any_path_as_it_is() {
        assert_eq!(Target::parse("sqlite:tasks.db").unwrap(), absolute("tasks.db"));
        assert_eq!(Target::parse("sqlite:/var/what?.db").unwrap(), absolute("/var/what?.db"));
        assert_eq!(Target::parse("SQLite:任务.db").unwrap(), absolute("任务.db"));
    }

    #[test]
    fn what_cannot_be_opened_is_a_coded_error() {
        let code = |url| Target::parse(url).unwrap_err().code();
        assert_eq!(code("tasks.db"), Code::BadUrl);
        assert_eq!(code("sqlite:"), Code::BadUrl);
        assert_eq!(code("sqlite://host/tasks.db"), Code::BadUrl);
        assert_eq!(code("sqlite:///tasks.db?mode=ro"), Code::BadUrl);
        assert_eq!(code("memory:shared"), Code::BadUrl);
        assert_eq!(code("postgres://host"), Code::UnknownScheme);
        assert_eq!(code("amqp://host"), Code::FeatureMissing);
    }

    #[test]
    fn a_missing_feature_is_named() {
        let error = Target::parse("amqps://host").unwrap_err();
        assert!(error.next_step().unwrap().contains("`amqp`"), "{error:?}");
    }

    #[test]
    fn passwords_appear_nowhere() {
        for url in [
            "redis://user:s3cret@host:port/0",
            "mysql://:s3cret@host",
            "sqlite://user:s3cret@host/x.db",
            "mysql://host/?password=s3cret",
            "mysql://user:s3cret/x@host/db",
            "sqlite:///x.db?key=s3cret",
        ] {
            let error = Target::parse(url).unwrap_err();
            let text = format!("{error:?} {:?} {:?}", error.findings(), error.next_step());
            assert!(!text.contains("s3cret"), "{text}");
        }
    }
}
