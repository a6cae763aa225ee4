//! What the supervisor and a child say to each other.
//!
//! A frame is four bytes of length, little endian, and the postcard form of an [`Order`] (to the child) or a [`Word`]
//! (from it). Both ends are of one release: the greeting carries [`VERSION`], and another one is refused.

use std::io;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::call::{Call, How};

/// Grows with every change of a frame.
pub const VERSION: u32 = 1;

/// The supervisor's own name for a call, unique for the life of the supervisor.
pub type Tag = u64;

/// A longer frame is a mistake of the other side: the largest message has 16 MiB by default, and may be set higher.
const MOST_BYTES: usize = 1 << 30;

const LENGTH: usize = 4;

/// What the supervisor tells a child.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Order<'a> {
    /// Run these, in order.
    #[serde(borrow)]
    Run(Vec<Call<&'a str, Raw<'a>>>),
    /// Give back those of these that have not begun.
    Recall(Vec<Tag>),
    /// When calls may begin.
    Gate(Gate),
    /// A running call should stop.
    Cancel { tag: Tag, why: Cancel },
    /// End when everything that was taken has ended.
    Stop,
}

/// Bytes that are passed on as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Raw<'a>(#[serde(borrow, with = "raw")] pub &'a [u8]);

/// When a call may begin: before `start_before`, and only if its delivery is not older than `open_since`. On the
/// boot-time clock, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    pub start_before: u64,
    pub open_since: u64,
}

/// Why a call should stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cancel {
    SoftTimeLimit,
    TimeLimit,
    Revoked,
    Shutdown,
}

/// What a child says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Word<'a> {
    /// It can take calls.
    Ready,
    /// Calls whose begin was to be reported have begun, at this time of the boot-time clock in milliseconds.
    Began(Vec<(Tag, u64)>),
    #[serde(borrow)]
    Ended(Vec<Ended<'a>>),
    /// The answer to [`Order::Recall`]: those that will not begin here.
    Recalled(Vec<Tag>),
    /// A running call says how far it is: a JSON document.
    State {
        tag: Tag,
        #[serde(borrow)]
        document: Raw<'a>,
    },
}

/// The end of a call.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended<'a> {
    pub tag: Tag,
    /// How long it ran.
    pub micros: u64,
    #[serde(borrow)]
    pub how: How<&'a str, Raw<'a>>,
}

/// A frame that can be sent.
///
/// # Errors
///
/// If it would be larger than 1 GiB.
pub fn encode(said: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = postcard::to_extend(said, vec![0; LENGTH]).map_err(io::Error::other)?;
    let length = frame.len() - LENGTH;
    if length > MOST_BYTES {
        return Err(too_long(length));
    }
    frame[..LENGTH].copy_from_slice(&(length as u32).to_le_bytes());
    Ok(frame)
}

/// How long the first frame in `received` is, its length included, once that is known.
///
/// # Errors
///
/// If it is longer than 1 GiB.
pub fn length(received: &[u8]) -> io::Result<Option<usize>> {
    let Some(length) = received.first_chunk() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if length > MOST_BYTES { Err(too_long(length)) } else { Ok(Some(LENGTH + length)) }
}

/// What a whole frame says.
pub fn decode<'a, T: Deserialize<'a>>(frame: &'a [u8]) -> io::Result<T> {
    postcard::from_bytes(frame.get(LENGTH..).unwrap_or_default()).map_err(io::Error::other)
}

fn too_long(length: usize) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes"))
}

/// Bytes as bytes, not as a sequence of numbers.
mod raw {
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &&[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<&'de [u8], D::Error> {
        serde::Deserialize::deserialize(deserializer)
    }
}

/// A message of the control line is JSON: it is rare, and Python reads it.
pub(crate) fn decode_json<T: DeserializeOwned>(frame: &[u8]) -> io::Result<T> {
    serde_json::from_slice(frame.get(LENGTH..).unwrap_or_default()).map_err(io::Error::other)
}

pub(crate) fn encode_json(said: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; LENGTH];
    serde_json::to_writer(&mut frame, said)?;
    let length = (frame.len() - LENGTH) as u32;
    frame[..LENGTH].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call() -> Call<&'static str, Raw<'static>> {
        Call {
            tag: 7,
            task: 2,
            run: 1,
            attempt: 0,
            since: 5,
            report: true,
            redelivered: false,
            priority: 4,
            soft_time_limit: 0,
            time_limit: 1500,
            id: "a",
            root_id: None,
            parent_id: Some("b"),
            queue: "celery",
            headers: Raw(b"{}"),
            args: Raw(b"[1]"),
            kwargs: Raw(b"{}"),
        }
    }

    #[test]
    fn an_order_arrives_as_it_was_without_a_copy_of_its_bytes() {
        let frame = encode(&Order::Run(vec![call(), call()])).unwrap();
        assert_eq!(length(&frame[..3]).unwrap(), None);
        assert_eq!(length(&frame).unwrap(), Some(frame.len()));
        let Order::Run(calls) = decode(&frame).unwrap() else { panic!() };
        assert_eq!(calls, [call(), call()]);
        assert!(frame.as_ptr_range().contains(&calls[1].args.0.as_ptr()));
    }

    #[test]
    fn a_frame_that_is_cut_or_too_long_is_an_error() {
        let frame = encode(&Word::Ended(vec![Ended { tag: 1, micros: 3, how: How::Returned(Raw(b"null")) }]))
            .unwrap();
        assert!(decode::<Word>(&frame[..frame.len() - 1]).is_err());
        assert!(length(&u32::MAX.to_le_bytes()).is_err());
    }
}
