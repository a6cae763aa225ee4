//! Finding messages by their task. Lists have no index, so this looks at each message; the server does it in pages.

use bytes::Bytes;
use cardoon_core::{QueueName, TaskId, Timestamp};
use cardoon_errors::Result;
use redis::Value;

use super::delayed;
use super::messages::Stored;
use crate::keys;
use crate::link::{Lane, bytes, int, items, text};
use crate::store::Shared;

/// Messages that are looked at in one step.
const PAGE: i64 = 1000;

/// All keys that match.
pub(crate) async fn scan(lane: &Lane, pattern: &str) -> Result<Vec<String>> {
    let mut keys = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut command = redis::cmd("SCAN");
        command.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
        let (next, page) = page(lane.ask(&command).await?)?;
        keys.extend(page.into_iter().filter_map(|key| text(key, "SCAN").ok()));
        cursor = next;
        if cursor == "0" {
            keys.sort_unstable();
            keys.dedup();
            return Ok(keys);
        }
    }
}

/// The members of a sorted set that match.
pub(crate) async fn members(lane: &Lane, key: &str, pattern: &str) -> Result<Vec<String>> {
    let mut members = Vec::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut command = redis::cmd("ZSCAN");
        command.arg(key).arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PAGE);
        let (next, page) = page(lane.ask(&command).await?)?;
        members.extend(page.into_iter().step_by(2).filter_map(|member| text(member, "ZSCAN").ok()));
        cursor = next;
        if cursor == "0" {
            members.sort_unstable();
            members.dedup();
            return Ok(members);
        }
    }
}

fn page(answer: Value) -> Result<(String, Vec<Value>)> {
    let mut parts = items(answer, "SCAN")?.into_iter();
    let cursor = text(parts.next().unwrap_or_default(), "SCAN")?;
    Ok((cursor, items(parts.next().unwrap_or_default(), "SCAN")?))
}

/// A message that waits in a list.
pub(crate) struct Ready {
    pub(crate) queue: QueueName,
    pub(crate) list: String,
    pub(crate) raw: Bytes,
    pub(crate) stored: Stored,
}

/// The messages of a task that wait in the lists of `queues`. What is taken meanwhile may be missed.
pub(crate) async fn ready(shared: &Shared, queues: &[QueueName], id: &TaskId) -> Result<Vec<Ready>> {
    let mut found = Vec::new();
    for (tag, list) in keys::lists(queues).into_iter().enumerate() {
        let Some(queue) = keys::queue_of_tag(queues, tag as u64) else { continue };
        for raw in in_list(shared, &list, id.as_str()).await? {
            let stored = Stored::read(&raw);
            if stored.message.id == *id {
                found.push(Ready { queue: queue.clone(), list: list.clone(), raw, stored });
            }
        }
    }
    Ok(found)
}

/// The messages in a list that hold `text`. From the back to the front: what is pushed meanwhile makes others be seen
/// twice, and hides none.
async fn in_list(shared: &Shared, list: &str, text: &str) -> Result<Vec<Bytes>> {
    let mut found: Vec<Bytes> = Vec::new();
    let mut from = 0;
    loop {
        let prepare = |command: &mut redis::Cmd| {
            command.arg(1).arg(list).arg(from).arg(from + PAGE - 1).arg(text);
        };
        let mut answer =
            items(shared.main.call(&shared.scripts.find, prepare).await?, "a search")?.into_iter();
        let looked_at = int(&answer.next().unwrap_or(Value::Int(0)), "a search")?;
        for raw in answer.filter_map(bytes) {
            if !found.contains(&raw) {
                found.push(raw);
            }
        }
        from += PAGE;
        if looked_at < PAGE {
            return Ok(found);
        }
    }
}

/// A message in the delayed store.
pub(crate) struct Delayed {
    pub(crate) member: String,
    pub(crate) queue: QueueName,
    /// Where it goes when it is due.
    pub(crate) list: String,
    pub(crate) raw: Bytes,
    pub(crate) stored: Stored,
    pub(crate) due: Timestamp,
}

/// The delayed messages of a task.
pub(crate) async fn delayed(lane: &Lane, id: &TaskId) -> Result<Vec<Delayed>> {
    let pattern = format!("{}:*", keys::literally(id.as_str()));
    let members = members(lane, keys::DELAYED, &pattern).await?;
    let mut found = delayed_members(lane, members).await?;
    found.retain(|delayed| delayed.stored.message.id == *id);
    Ok(found)
}

/// What is stored of these members of the delayed store.
pub(crate) async fn delayed_members(lane: &Lane, members: Vec<String>) -> Result<Vec<Delayed>> {
    if members.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    pipeline.cmd("ZMSCORE").arg(keys::DELAYED).arg(&members);
    pipeline.cmd("HMGET").arg(keys::DELAYED_MESSAGES).arg(&members);
    let mut answers = lane.ask_each(&pipeline).await?.into_iter();
    let dues = items(answers.next().unwrap_or_default(), "ZMSCORE")?;
    let stored = items(answers.next().unwrap_or_default(), "HMGET")?;
    let read = |((member, due), stored): ((String, Value), Value)| {
        let due = Timestamp(int(&due, "ZMSCORE").ok()?);
        let (list, raw) = delayed::split(&bytes(stored)?)?;
        let queue = keys::queue_of_list(&list)?;
        Some(Delayed { member, queue, list, stored: Stored::read(&raw), raw, due })
    };
    Ok(members.into_iter().zip(dues).zip(stored).filter_map(read).collect())
}
