//! From the server's and the client's errors to ours.

use cardoon_errors::{Applied, Code, Error};
use redis::{ErrorKind, RedisError, ServerError};

/// What went wrong on the way to the server at `location`. Whether a command was executed whose answer is missing is not
/// known.
pub(crate) fn of_client(error: RedisError, location: &str) -> Error {
    if let Some(code) = error.code() {
        let detail = error.detail().unwrap_or_default().to_owned();
        return of_answer(code, &detail, location);
    }
    if error.to_string().contains("invalid peer certificate") {
        return not_trusted(error, location);
    }
    if error.to_string().contains("failed to lookup address information") {
        return unknown_name(location).applied(Applied::No).source(error);
    }
    let applied = if error.is_connection_refusal() { Applied::No } else { Applied::Unknown };
    Error::new(Code::Unreachable, format!("the connection to {location} failed"))
        .applied(applied)
        .checked(error.to_string())
        .hint("look whether the server runs: redis-cli -u <URL> ping")
        .source(error)
}

/// What went wrong before a connection to `location` was of use.
pub(crate) fn of_dial(error: RedisError, location: &str) -> Error {
    if error.kind() == ErrorKind::Parse {
        // The client's words are those of a parser, which help nobody.
        return Error::new(Code::OtherService, format!("what answers at {location} is no Redis server"))
            .hint("look what it answers: cardoon doctor");
    }
    of_client(error, location).applied(Applied::No)
}

/// The host's name leads to no address.
pub(crate) fn unknown_name(location: &str) -> Error {
    Error::new(Code::NameNotFound, format!("the host of {location} cannot be found by its name"))
        .hint("look at the name: getent hosts NAME; in a container, use the name of the other service")
}

fn not_trusted(error: RedisError, location: &str) -> Error {
    let code = Code::RedisCertificate;
    Error::new(code, format!("{location}: {}", code.title()))
        .checked(error.to_string())
        .hint("name the server's authority: ?ssl_ca_certs=/path/to/ca.pem")
        .source(error)
}

/// What the server answered instead of doing what it was asked.
pub(crate) fn of_server(error: &ServerError, location: &str) -> Error {
    of_answer(error.code(), error.details().unwrap_or_default(), location)
}

/// Whether the server refuses to be written to because it is a replica.
pub(crate) fn is_read_only(error: &ServerError) -> bool {
    kind(error.code(), error.details().unwrap_or_default()) == Code::RedisReadOnly
}

/// The error that the text of a server's error is: its code, then what it says.
pub(crate) fn of_text(text: &str, location: &str) -> Error {
    let (code, detail) = text.split_once(' ').unwrap_or((text, ""));
    of_answer(code, detail, location)
}

fn of_answer(code: &str, detail: &str, location: &str) -> Error {
    let kind = kind(code, detail);
    let told = without_arguments(detail);
    let error = Error::new(kind, format!("{location}: {}", kind.title())).checked(format!("{code} {told}"));
    match kind {
        Code::RedisFull => error.hint("free memory or disk space on the server, or raise its limit"),
        Code::RedisReadOnly => error.hint("connect to the primary; with Sentinel, name it in the URL"),
        Code::RedisProtected => {
            error.hint("set a password on the server (requirepass) and write it into the URL")
        }
        Code::RedisNoDatabase => error.hint("redis-cli -u <URL> CONFIG GET databases"),
        Code::RedisDenied => error.hint("look at the user, the password and the rules of `ACL LIST`"),
        Code::RedisWrongType => error.hint("look at the key with `TYPE`; Cardoon changes nothing in it"),
        _ => error,
    }
}

/// A server that does not know a command repeats its arguments, which may be a password.
fn without_arguments(detail: &str) -> &str {
    detail.split(", with args beginning with").next().unwrap_or_default()
}

fn kind(code: &str, detail: &str) -> Code {
    match code {
        "OOM" | "MISCONF" => Code::RedisFull,
        "READONLY" => Code::RedisReadOnly,
        "NOAUTH" | "WRONGPASS" | "NOPERM" => Code::RedisDenied,
        "DENIED" => Code::RedisProtected,
        "WRONGTYPE" => Code::RedisWrongType,
        "LOADING" | "BUSY" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" | "NOREPLICAS" | "UNKILLABLE" => {
            Code::Unreachable
        }
        _ if detail.contains("DB index is out of range") => Code::RedisNoDatabase,
        // A password for a user who needs none.
        _ if detail.contains("without any password configured") => Code::RedisDenied,
        // A script passes on the error of the command that failed in it, in words.
        _ if detail.contains("OOM command not allowed") => Code::RedisFull,
        _ if detail.contains("WRONGTYPE") => Code::RedisWrongType,
        _ if detail.contains("READONLY") => Code::RedisReadOnly,
        _ if detail.contains("NOPERM")
            || detail.contains("ACL failure")
            || detail.contains("can't run this command") =>
        {
            Code::RedisDenied
        }
        _ if detail.contains("MISCONF") => Code::RedisFull,
        _ => Code::Internal,
    }
}

/// No answer came in time.
pub(crate) fn no_answer(location: &str) -> Error {
    Error::new(Code::NoAnswer, format!("{location} did not answer in time")).applied(Applied::Unknown)
}

/// An answer that is none to what was asked.
pub(crate) fn nonsense(what: &str) -> Error {
    Error::new(Code::Internal, format!("the Redis server's answer to {what} cannot be read"))
        .applied(Applied::Unknown)
}

/// The key of a queue is no list.
pub(crate) fn no_list(key: &str, location: &str) -> Error {
    Error::new(Code::RedisWrongType, format!("the key `{key}` in {location} is no list"))
        .hint("look at the key with `TYPE`; Cardoon changes nothing in it")
}

/// The store was closed on purpose.
pub(crate) fn closed() -> Error {
    Error::new(Code::StoreClosed, "the store in Redis was closed")
}

/// What the caller waits for has ended without an answer.
pub(crate) fn broken_off() -> Error {
    Error::new(Code::Internal, "an operation on the store in Redis was broken off").applied(Applied::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_command_that_is_not_known_are_not_told() {
        let text = "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'secret' ";
        assert_eq!(of_text(text, "redis://host").findings(), ["ERR unknown command 'HELLO'"]);
    }

    #[test]
    fn answers_carry_the_code_that_says_what_to_do() {
        let code = |text| of_text(text, "redis://host").code();
        assert_eq!(code("OOM command not allowed when used memory > 'maxmemory'."), Code::RedisFull);
        assert_eq!(code("READONLY You can't write against a read only replica."), Code::RedisReadOnly);
        assert_eq!(
            code("NOPERM User ann has no permissions to run the 'evalsha' command"),
            Code::RedisDenied
        );
        assert_eq!(code("WRONGTYPE Operation against a key"), Code::RedisWrongType);
        assert_eq!(code("LOADING Redis is loading the dataset in memory"), Code::Unreachable);
        assert_eq!(
            code("ERR WRONGTYPE Operation against a key script: 1, on @user_script:3."),
            Code::RedisWrongType
        );
        assert_eq!(code("ERR syntax error"), Code::Internal);
        assert_eq!(code("DENIED Redis is running in protected mode"), Code::RedisProtected);
        assert_eq!(code("ERR DB index is out of range"), Code::RedisNoDatabase);
        assert_eq!(
            code("ERR AUTH <password> called without any password configured for the default user"),
            Code::RedisDenied
        );
    }
}
