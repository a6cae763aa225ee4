//! Removing what has been kept long enough. What has a time to live of its own, the server removes.

use cardoon_core::Timestamp;
use cardoon_errors::Result;
use redis::Value;

use super::change::Change;
use super::graves;
use crate::keys;
use crate::link::{bytes, items, text};
use crate::store::Shared;

/// Between two upkeeps, whoever does them.
const EVERY_MILLIS: u64 = 60_000;

/// Dead letters that one upkeep removes at most.
const MOST: usize = 1000;

/// Does the upkeep if it is time for it.
pub(crate) async fn keep_up(shared: &Shared) -> Result<()> {
    let mut turn = redis::cmd("SET");
    turn.arg(keys::UPKEEP).arg(1).arg("NX").arg("PX").arg(EVERY_MILLIS);
    if shared.main.ask(&turn).await? == Value::Nil {
        return Ok(());
    }
    let retention = &shared.options.retention;
    let before = |kept: std::time::Duration| Timestamp(shared.now().0 - kept.as_millis() as i64).0;
    let mut forget = redis::cmd("ZREMRANGEBYSCORE");
    forget.arg(keys::REVOKED).arg("-inf").arg(before(retention.fences));
    shared.main.ask(&forget).await?;
    remove_letters(shared, before(retention.dead_letters)).await
}

async fn remove_letters(shared: &Shared, before: i64) -> Result<()> {
    let mut find = redis::cmd("ZRANGEBYSCORE");
    find.arg(keys::DEAD).arg("-inf").arg(before).arg("LIMIT").arg(0).arg(MOST);
    let members = items(shared.main.ask(&find).await?, "ZRANGEBYSCORE")?.into_iter();
    let members: Vec<String> = members.filter_map(|member| text(member, "ZRANGEBYSCORE").ok()).collect();
    if members.is_empty() {
        return Ok(());
    }
    let mut read = redis::cmd("HMGET");
    read.arg(keys::DEAD_LETTERS).arg(&members);
    let letters = items(shared.main.ask(&read).await?, "HMGET")?.into_iter();
    let remove = |(member, letter): (&String, Value)| {
        let (stone, _) = graves::read(&bytes(letter)?)?;
        Some(graves::remove(Change::new(), &stone, member))
    };
    let changes: Vec<Change> = members.iter().zip(letters).filter_map(remove).collect();
    for applied in shared.apply(&shared.main, &changes).await {
        applied?;
    }
    Ok(())
}
