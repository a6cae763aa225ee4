//! What a server is, and whether it can hold tasks.

use cardoon_errors::{Code, Error, Result};
use redis::Value;

use crate::keys;
use crate::link::{Lane, text};

/// The oldest version that has the commands that are used here.
const OLDEST: (u32, u32) = (6, 2);

/// What `INFO` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// As Redis counts; Valkey says what it is compatible with.
    pub(crate) version: (u32, u32),
    /// What an operator should know, though it is no error.
    pub(crate) warnings: Vec<String>,
    /// Whether what is acknowledged survives the death of the server, as far as its settings say.
    pub(crate) append_only: bool,
    /// Whether the user may be told of changes.
    pub(crate) tells: bool,
    /// Whether the user may count subscribers, which are the workers' signs of life.
    pub(crate) counts: bool,
}

/// Looks at the server, and refuses one that cannot hold tasks.
pub(crate) async fn check(lane: &Lane, location: &str) -> Result<Facts> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("INFO");
    pipeline.cmd("GET").arg(keys::LAYOUT);
    let mut answers = lane.ask_all(&pipeline).await?.into_iter();
    let info = match answers.next() {
        Some(Ok(info)) => text(info, "INFO")?,
        // A user without the right to ask may still be served well.
        Some(Err(error)) if error.code() == Code::RedisDenied => String::new(),
        Some(Err(error)) => return Err(error),
        None => String::new(),
    };
    let facts = read(&info, location)?;
    if let Some(layout) = answers.next() {
        check_layout(layout?, location)?;
    }
    let facts = probe(lane, facts).await?;
    let mut mark = redis::cmd("SET");
    mark.arg(keys::LAYOUT).arg(keys::LAYOUT_VERSION).arg("NX");
    // A full server can still be drained, so this is no reason not to open it.
    match lane.ask(&mark).await {
        Err(error) if error.code() != Code::RedisFull => Err(error),
        _ => Ok(facts),
    }
}

/// Tries what a user may be forbidden without being of no use.
async fn probe(lane: &Lane, facts: Facts) -> Result<Facts> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("TRACKING").arg("ON");
    pipeline.cmd("CLIENT").arg("TRACKING").arg("OFF");
    pipeline.cmd("PUBSUB").arg("NUMSUB").arg("cardoon");
    let answers = lane.ask_all(&pipeline).await?;
    let is_allowed = |place: usize| answers.get(place).is_some_and(Result::is_ok);
    Ok(Facts { tells: is_allowed(0), counts: is_allowed(2), ..facts })
}

fn check_layout(layout: Value, location: &str) -> Result<()> {
    let Value::BulkString(bytes) = layout else { return Ok(()) };
    let found: u32 = String::from_utf8_lossy(&bytes).trim().parse().unwrap_or(u32::MAX);
    if found <= keys::LAYOUT_VERSION {
        return Ok(());
    }
    let known = keys::LAYOUT_VERSION;
    Err(Error::new(
        Code::RedisNewerLayout,
        format!("the keys in {location} have layout {found}, this is {known}"),
    )
    .hint("use a newer Cardoon, or another database"))
}

fn read(info: &str, location: &str) -> Result<Facts> {
    let field = |name: &str| {
        info.lines()
            .find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default()
    };
    let version = version(field("redis_version"));
    if version < OLDEST {
        let (major, minor) = version;
        return Err(Error::new(
            Code::RedisTooOld,
            format!("{location} is Redis {major}.{minor}, 6.2 is needed"),
        ));
    }
    if field("cluster_enabled") == "1" {
        return Err(Error::new(Code::RedisCluster, format!("{location} is part of a Redis Cluster")));
    }
    if field("role") == "slave" {
        return Err(Error::new(Code::RedisReadOnly, format!("{location} is a replica"))
            .checked(format!("its primary: {}:{}", field("master_host"), field("master_port")))
            .hint("connect to the primary; with Sentinel, name it in the URL"));
    }
    let append_only = field("aof_enabled") == "1";
    Ok(Facts { version, warnings: warnings(&field), append_only, tells: true, counts: true })
}

fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor),
        // Who hides the version is taken for a new one.
        _ => (7, 0),
    }
}

fn warnings<'i>(field: &impl Fn(&str) -> &'i str) -> Vec<String> {
    let mut warnings = Vec::new();
    let policy = field("maxmemory_policy");
    if field("maxmemory") != "0" && !policy.is_empty() && policy != "noeviction" {
        warnings.push(format!("its policy {policy} removes tasks when memory is short; set `noeviction`"));
    }
    if field("aof_enabled") == "0" {
        warnings.push("it does not write to disk, so its end loses all tasks; set `appendonly yes`".into());
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(lines: &[&str]) -> Result<Facts> {
        read(&lines.join("\r\n"), "redis://host")
    }

    #[test]
    fn a_server_that_cannot_hold_tasks_is_refused() {
        let code = |lines: &[&str]| info(lines).unwrap_err().code();
        assert_eq!(code(&["redis_version:6.0.16"]), Code::RedisTooOld);
        assert_eq!(code(&["redis_version:7.0.0", "cluster_enabled:1"]), Code::RedisCluster);
        assert_eq!(code(&["redis_version:7.0.0", "role:slave"]), Code::RedisReadOnly);
        assert_eq!(info(&["redis_version:8.0.2"]).unwrap().version, (8, 0));
        assert_eq!(info(&[]).unwrap().version, (7, 0));
    }

    #[test]
    fn settings_that_lose_tasks_are_warned_of() {
        let facts =
            info(&["redis_version:7.2.0", "maxmemory:1000", "maxmemory_policy:allkeys-lru", "aof_enabled:0"]);
        let warnings = facts.unwrap().warnings;
        assert!(warnings[0].contains("allkeys-lru") && warnings[1].contains("appendonly"), "{warnings:?}");
        let quiet =
            info(&["redis_version:7.2.0", "maxmemory:0", "maxmemory_policy:noeviction", "aof_enabled:1"]);
        assert_eq!(quiet.unwrap().warnings, Vec::<String>::new());
    }
}
