//! What a child has to say and has not said.

use std::io;

use cardoon_children::frame::{self, Ended, Raw, Tag, Word};

/// How a call ended, with bytes of its own.
pub(super) type How = cardoon_children::How<String, Vec<u8>>;

/// Ends and begins, in the order in which they came.
#[derive(Default)]
pub(super) struct Outbox {
    began: Vec<(Tag, u64)>,
    ended: Vec<(Tag, u64, How)>,
    bytes: usize,
}

impl Outbox {
    pub(super) fn began(&mut self, tag: Tag, at: u64) {
        self.began.push((tag, at));
    }

    pub(super) fn ended(&mut self, tag: Tag, micros: u64, how: How) {
        if let How::Returned(value) = &how {
            self.bytes += value.len();
        }
        self.ended.push((tag, micros, how));
    }

    pub(super) fn len(&self) -> usize {
        self.began.len() + self.ended.len()
    }

    /// Bytes of return values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// All of it as frames: begins first, since a call that has ended had begun.
    pub(super) fn frames(&self) -> io::Result<Vec<u8>> {
        let mut frames = Vec::new();
        if !self.began.is_empty() {
            frames.extend(frame::encode(&Word::Began(self.began.clone()))?);
        }
        if !self.ended.is_empty() {
            frames.extend(frame::encode(&Word::Ended(self.ended.iter().map(in_frame).collect()))?);
        }
        Ok(frames)
    }
}

fn in_frame((tag, micros, how): &(Tag, u64, How)) -> Ended<'_> {
    Ended { tag: *tag, micros: *micros, how: how.map(String::as_str, |json| Raw(json)) }
}
