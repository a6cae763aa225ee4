//! What a server is, and whether it can hold tasks.

use cardoon_errors::{Code, Error, Result};
use redis::Value;

use crate::keys;
use crate::link::{Lane, text};

/// The oldest version that has the commands that are used here.
const OLDEST: (u32, u32) = (6, 2);

/// The answer to `INFO`. Empty if the user may not ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Info(String);

/// What is known of a server that can hold tasks.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    /// As Redis counts; Valkey says what it is compatible with.
    pub(crate) version: (u32, u32),
    /// What an operator should know, though it is no error.
    pub(crate) warnings: Vec<Error>,
    /// Whether what is acknowledged survives the death of the server, as far as its settings say.
    pub(crate) append_only: bool,
    /// Whether the user may be told of changes.
    pub(crate) tells: bool,
    /// Whether the user may count subscribers, which are the workers' signs of life.
    pub(crate) counts: bool,
}

/// Looks at the server, and refuses one that cannot hold tasks. `looks_only`: it is not marked as used.
pub(crate) async fn check(lane: &Lane, location: &str, looks_only: bool) -> Result<Facts> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("INFO");
    pipeline.cmd("GET").arg(keys::LAYOUT);
    let mut answers = lane.ask_all(&pipeline).await?.into_iter();
    let info = match answers.next() {
        Some(Ok(info)) => Info::read(info)?,
        // A user without the right to ask may still be served well.
        Some(Err(error)) if error.code() == Code::RedisDenied => Info::default(),
        Some(Err(error)) => return Err(error),
        None => Info::default(),
    };
    let facts = info.facts(location)?;
    if let Some(layout) = answers.next() {
        check_layout(layout?, location)?;
    }
    let facts = probe(lane, facts).await?;
    if looks_only {
        return Ok(facts);
    }
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

/// Fails with `CD1206` if the keys are of a layout that is not known here.
pub(crate) fn check_layout(layout: Value, location: &str) -> Result<()> {
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

impl Info {
    pub(crate) fn read(answer: Value) -> Result<Self> {
        text(answer, "INFO").map(Self)
    }

    /// What stands behind `name:`; empty if it is not there.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.0
            .lines()
            .find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or_default()
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.field(name).parse().ok()
    }

    fn facts(&self, location: &str) -> Result<Facts> {
        let version = self.version(location)?;
        self.check_role(location)?;
        let warnings = [self.eviction(location), self.persistence(location)];
        let append_only = self.field("aof_enabled") == "1";
        let warnings = warnings.into_iter().flatten().collect();
        Ok(Facts { version, warnings, append_only, tells: true, counts: true })
    }

    /// Fails with `CD1201` if it is too old.
    pub(crate) fn version(&self, location: &str) -> Result<(u32, u32)> {
        let version = version(self.field("redis_version"));
        if version >= OLDEST {
            return Ok(version);
        }
        let (major, minor) = version;
        Err(Error::new(Code::RedisTooOld, format!("{location} is Redis {major}.{minor}, 6.2 is needed"))
            .hint("use a newer server, Redis or Valkey"))
    }

    /// Fails with `CD1207` and `CD1204` if it cannot hold tasks because of its part among other servers.
    pub(crate) fn check_role(&self, location: &str) -> Result<()> {
        if self.field("cluster_enabled") == "1" {
            return Err(Error::new(Code::RedisCluster, format!("{location} is part of a Redis Cluster"))
                .hint("use a server of its own; several are kept by Redis Sentinel"));
        }
        if self.field("role") == "slave" {
            let (host, port) = (self.field("master_host"), self.field("master_port"));
            return Err(Error::new(Code::RedisReadOnly, format!("{location} is a replica"))
                .checked(format!("its primary: {host}:{port}"))
                .hint("connect to the primary; with Sentinel, name it in the URL"));
        }
        Ok(())
    }

    /// What is wrong with what it does when memory is short.
    pub(crate) fn eviction(&self, location: &str) -> Option<Error> {
        let policy = self.field("maxmemory_policy");
        let evicts = self.field("maxmemory") != "0" && !policy.is_empty() && policy != "noeviction";
        evicts.then(|| {
            let message = format!("{location} removes tasks when memory is short");
            Error::new(Code::RedisLosesTasks, message)
                .checked(format!("maxmemory-policy: {policy}"))
                .hint("redis-cli -u <URL> CONFIG SET maxmemory-policy noeviction; the same in redis.conf")
        })
    }

    /// What is wrong with what it writes to disk.
    pub(crate) fn persistence(&self, location: &str) -> Option<Error> {
        (self.field("aof_enabled") == "0").then(|| {
            let message = format!("{location} keeps tasks in memory only: its end loses them");
            Error::new(Code::RedisLosesTasks, message)
                .checked("appendonly: no")
                .hint("redis-cli -u <URL> CONFIG SET appendonly yes; the same in redis.conf")
        })
    }
}

fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor),
        // Who hides the version is taken for a new one.
        _ => (7, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(lines: &[&str]) -> Result<Facts> {
        Info(lines.join("\r\n")).facts("redis://host")
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
        assert_eq!(warnings[0].findings(), ["maxmemory-policy: allkeys-lru"]);
        assert_eq!(warnings[1].findings(), ["appendonly: no"]);
        let quiet =
            info(&["redis_version:7.2.0", "maxmemory:0", "maxmemory_policy:noeviction", "aof_enabled:1"]);
        assert!(quiet.unwrap().warnings.is_empty());
    }
}
