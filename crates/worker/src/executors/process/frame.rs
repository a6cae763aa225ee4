//! What a worker and its child say to each other: a header in JSON and raw bytes, each with its length before it.

use std::borrow::Cow;

use bytes::{Buf, Bytes, BytesMut};
use cardoon_core::{Message, Priority, Progress, QueueName, RunNumber, TaskId, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{CancelReason, TaskError};

/// What a worker says to its child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    /// Execute this. The bytes are the message's headers, then its body.
    Run(Box<Parcel>),
    Cancel(CancelReason),
}

/// What a child says to its worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Word {
    Ready,
    /// User code of the run begins.
    Began,
    /// How far a run is, which may be over.
    Progress {
        id: TaskId,
        run: RunNumber,
        progress: Progress,
    },
    /// The bytes are the return value.
    Succeeded,
    Failed(TaskError),
}

/// A run, as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Parcel {
    pub id: TaskId,
    pub attempt: u32,
    pub task: String,
    pub queue: QueueName,
    pub run: RunNumber,
    priority: Priority,
    expires: Option<Timestamp>,
    content_type: Cow<'static, str>,
    content_encoding: Cow<'static, str>,
    headers_len: usize,
}

impl Parcel {
    /// Splits a message into what is described and what is only carried.
    pub(super) fn pack(message: Message, queue: QueueName, run: RunNumber) -> (Self, [Bytes; 2]) {
        let parcel = Self {
            id: message.id,
            attempt: message.attempt,
            task: message.task,
            queue,
            run,
            priority: message.priority,
            expires: message.expires,
            content_type: message.content_type,
            content_encoding: message.content_encoding,
            headers_len: message.headers.len(),
        };
        (parcel, [message.headers, message.body])
    }

    pub(super) fn unpack(&self, mut bytes: Bytes) -> Message {
        let headers = bytes.split_to(self.headers_len.min(bytes.len()));
        Message {
            id: self.id.clone(),
            attempt: self.attempt,
            task: self.task.clone(),
            priority: self.priority,
            expires: self.expires,
            content_type: self.content_type.clone(),
            content_encoding: self.content_encoding.clone(),
            headers,
            body: bytes,
        }
    }
}

/// Two lengths of four bytes each, then the header, then the bytes.
pub(super) fn encode(header: &impl Serialize, bytes: &[&[u8]]) -> std::io::Result<Vec<u8>> {
    let header = serde_json::to_vec(header)?;
    let carried = bytes.iter().map(|part| part.len()).sum();
    let mut frame = Vec::with_capacity(8 + header.len() + carried);
    for length in [header.len(), carried] {
        let length = u32::try_from(length).map_err(std::io::Error::other)?;
        frame.extend_from_slice(&length.to_be_bytes());
    }
    frame.extend_from_slice(&header);
    for part in bytes {
        frame.extend_from_slice(part);
    }
    Ok(frame)
}

/// Takes the first frame out of `buffer`, if all of it has arrived.
pub(super) fn decode<H: DeserializeOwned>(buffer: &mut BytesMut) -> std::io::Result<Option<(H, Bytes)>> {
    if buffer.len() < 8 {
        return Ok(None);
    }
    let mut lengths = &buffer[..8];
    let (header, carried) = (lengths.get_u32() as usize, lengths.get_u32() as usize);
    if buffer.len() < 8 + header + carried {
        return Ok(None);
    }
    buffer.advance(8);
    let header = serde_json::from_slice(&buffer.split_to(header))?;
    Ok(Some((header, buffer.split_to(carried).freeze())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_when_its_last_byte_has_come() {
        let frame = encode(&Word::Succeeded, &[b"12", b"3"]).unwrap();
        let mut buffer = BytesMut::new();
        for byte in &frame[..frame.len() - 1] {
            buffer.extend_from_slice(&[*byte]);
            assert!(decode::<Word>(&mut buffer).unwrap().is_none());
        }
        buffer.extend_from_slice(&frame[frame.len() - 1..]);
        buffer.extend_from_slice(&encode(&Word::Ready, &[]).unwrap());
        let (word, bytes) = decode::<Word>(&mut buffer).unwrap().unwrap();
        assert!(matches!(word, Word::Succeeded));
        assert_eq!(bytes, "123");
        assert!(matches!(decode::<Word>(&mut buffer).unwrap(), Some((Word::Ready, _))));
    }

    #[test]
    fn a_message_arrives_as_it_was() {
        let message = Message {
            id: TaskId::new("a").unwrap(),
            attempt: 2,
            task: "t".into(),
            priority: Priority::HIGHEST,
            expires: Some(Timestamp(5)),
            content_type: "application/json".into(),
            content_encoding: "utf-8".into(),
            headers: Bytes::from_static(b"{}"),
            body: Bytes::from_static(b"[[],{},{}]"),
        };
        let (parcel, parts) = Parcel::pack(message.clone(), QueueName::default(), RunNumber(3));
        let carried = Bytes::from(parts.concat());
        assert_eq!(parcel.unpack(carried), message);
    }
}
