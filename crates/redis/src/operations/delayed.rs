//! The delayed store.

use bytes::Bytes;
use cardoon_core::{QueueName, TaskId, Timestamp};

use super::change::Change;
use crate::keys;

/// A delayed message as it is stored: its list, then the message.
pub(crate) fn stored(list: &str, raw: &[u8]) -> Bytes {
    let length = list.len().to_string();
    [length.as_bytes(), b" ", list.as_bytes(), raw].concat().into()
}

/// The list and the message of what [`stored`] made.
pub(crate) fn split(stored: &Bytes) -> Option<(String, Bytes)> {
    let space = stored.iter().position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&stored[..space]).ok()?.parse().ok()?;
    let list = stored.get(space + 1..space + 1 + length)?;
    Some((std::str::from_utf8(list).ok()?.to_owned(), stored.slice(space + 1 + length..)))
}

/// Puts a message into the delayed store. To do it twice is to do it once.
pub(crate) fn insert(change: Change, place: &Place<'_>, raw: &[u8]) -> Change {
    let member = Bytes::from(keys::delayed_member(place.id, place.attempt));
    let due = Bytes::from(place.due.0.to_string());
    change
        .then("HSET", keys::DELAYED_MESSAGES, [member.clone(), stored(place.list, raw)])
        .then("ZADD", keys::delayed_of(place.queue), [due.clone(), member.clone()])
        .then("ZADD", keys::DELAYED, [due, member])
}

/// Takes a message out of the delayed store.
pub(crate) fn remove(change: Change, queue: &QueueName, member: &str) -> Change {
    let member = Bytes::copy_from_slice(member.as_bytes());
    change
        .then("ZREM", keys::DELAYED, [member.clone()])
        .then("ZREM", keys::delayed_of(queue), [member.clone()])
        .then("HDEL", keys::DELAYED_MESSAGES, [member])
}

/// Where and until when a message waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) id: &'a TaskId,
    pub(crate) attempt: u32,
    pub(crate) queue: &'a QueueName,
    pub(crate) list: &'a str,
    pub(crate) due: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_and_message_come_back() {
        let stored = stored("a b\x06\x163", b"{\"x\": 1}");
        assert_eq!(split(&stored), Some(("a b\x06\x163".into(), Bytes::from_static(b"{\"x\": 1}"))));
        assert_eq!(split(&Bytes::from_static(b"9 a")), None);
    }
}
