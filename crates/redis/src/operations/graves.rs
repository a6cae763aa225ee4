//! Dead letters as they are stored.

use bytes::Bytes;
use cardoon_broker::DeadLetter;
use cardoon_core::{DeadReason, QueueName, Timestamp};
use serde::{Deserialize, Serialize};

use super::change::Change;
use super::delayed;
use super::messages::Stored;
use crate::envelope::Marks;
use crate::keys;

/// What is known of a dead message besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stone {
    pub(crate) queue: QueueName,
    /// The list that it goes to when it is sent again.
    pub(crate) list: String,
    pub(crate) reason: DeadReason,
    pub(crate) detail: String,
    pub(crate) deaths: u32,
    pub(crate) died_at: Timestamp,
    /// The attempt that it counted as, if its headers say another one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) attempt: Option<u32>,
}

/// Buries a message.
pub(crate) fn bury(change: Change, stone: &Stone, stored: &Stored) -> Change {
    // Drawn in order, so that of letters of one millisecond the newest is first all the same.
    let member = format!("{}:{}", cardoon_runtime::ids::unique(), stored.message.id);
    bury_as(change, stone, stored, member)
}

/// Buries a message under a name, which ends with its id.
pub(crate) fn bury_as(change: Change, stone: &Stone, stored: &Stored, member: String) -> Change {
    let written = serde_json::to_string(stone).unwrap_or_default();
    let member = Bytes::from(member);
    let died = Bytes::from(stone.died_at.0.to_string());
    change
        .then("HSET", keys::DEAD_LETTERS, [member.clone(), delayed::stored(&written, &stored.original)])
        .then("ZADD", keys::dead_of(&stone.queue), [died.clone(), member.clone()])
        .then("ZADD", keys::dead_for(stone.reason), [died.clone(), member.clone()])
        .then("ZADD", keys::DEAD, [died, member])
}

/// Removes a dead letter, if it is still there.
pub(crate) fn remove(change: Change, stone: &Stone, member: &str) -> Change {
    let member = Bytes::copy_from_slice(member.as_bytes());
    change
        .if_member(keys::DEAD, member.clone())
        .then("ZREM", keys::DEAD, [member.clone()])
        .then("ZREM", keys::dead_of(&stone.queue), [member.clone()])
        .then("ZREM", keys::dead_for(stone.reason), [member.clone()])
        .then("HDEL", keys::DEAD_LETTERS, [member])
}

/// Stone and message of what was buried.
pub(crate) fn read(buried: &Bytes) -> Option<(Stone, Stored)> {
    let (stone, raw) = delayed::split(buried)?;
    let stone: Stone = serde_json::from_str(&stone).ok()?;
    let mut stored = Stored::read(&raw);
    stored.marks = Marks { attempt: stone.attempt, ..Marks::default() };
    stored.message.attempt = stone.attempt.unwrap_or(stored.message.attempt);
    Some((stone, stored))
}

pub(crate) fn letter(stone: Stone, stored: Stored) -> DeadLetter {
    DeadLetter {
        message: stored.message,
        queue: stone.queue,
        reason: stone.reason,
        detail: stone.detail,
        deaths: stone.deaths,
        died_at: stone.died_at,
    }
}
