use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_coord::{Coordinator, Entry, check};
use cardoon_errors::Result;
use redis::Value;

use crate::failure::nonsense;
use crate::keys;
use crate::link::{bytes, int, text};
use crate::store::RedisStore;

/// Versions of an entry that a write accepts.
enum Expected {
    Any,
    This(Option<u64>),
}

#[async_trait]
impl Coordinator for RedisStore {
    async fn get(&self, key: &str) -> Result<Option<Entry>> {
        check(key, b"")?;
        self.shared.check()?;
        let mut command = redis::cmd("GET");
        command.arg(keys::entry(key));
        let stored = bytes(self.shared.main.ask(&command).await?);
        stored.map(|stored| read(&stored).ok_or_else(|| nonsense("an entry"))).transpose()
    }

    async fn put(&self, key: &str, value: Bytes, keep: Option<Duration>) -> Result<u64> {
        let version = self.write(key, &Expected::Any, &value, keep).await?;
        version.ok_or_else(|| nonsense("an entry"))
    }

    async fn compare_and_set(
        &self,
        key: &str,
        expected: Option<u64>,
        value: Bytes,
        keep: Option<Duration>,
    ) -> Result<Option<u64>> {
        self.write(key, &Expected::This(expected), &value, keep).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        check(key, b"")?;
        self.shared.check()?;
        let mut command = redis::cmd("DEL");
        command.arg(keys::entry(key));
        Ok(int(&self.shared.main.ask(&command).await?, "DEL")? > 0)
    }
}

impl RedisStore {
    async fn write(
        &self,
        key: &str,
        expected: &Expected,
        value: &[u8],
        keep: Option<Duration>,
    ) -> Result<Option<u64>> {
        check(key, value)?;
        self.shared.check()?;
        let expected = match expected {
            Expected::Any => "any".to_owned(),
            Expected::This(version) => version.map_or_else(String::new, |version| version.to_string()),
        };
        let keep = keep.map_or_else(String::new, |keep| keep.as_millis().max(1).to_string());
        let prepare = |command: &mut redis::Cmd| {
            command.arg(2).arg(keys::entry(key)).arg(keys::ENTRY_VERSION);
            command.arg(&expected).arg(value).arg(&keep);
        };
        match self.shared.main.call(&self.shared.scripts.entry, prepare).await? {
            Value::Nil | Value::Boolean(false) => Ok(None),
            version => text(version, "an entry")?.parse().map(Some).map_err(|_| nonsense("an entry")),
        }
    }
}

/// An entry as it is stored: its version, a space, its value.
fn read(stored: &Bytes) -> Option<Entry> {
    let space = stored.iter().position(|byte| *byte == b' ')?;
    let version = std::str::from_utf8(&stored[..space]).ok()?.parse().ok()?;
    Some(Entry { version, value: stored.slice(space + 1..) })
}
