//! What a child has to say and has not said.

use std::io;

use cardoon_children::frame::{self, Ended, Failure, Raw, Tag, Word};

/// How a call ended, with bytes of its own.
pub(super) enum How {
    Returned(Vec<u8>),
    Failed(OwnFailure),
    Retry { after: u64, failure: OwnFailure, arguments: Option<(Vec<u8>, Vec<u8>)> },
    Ignored,
    Rejected { requeue: bool, why: String },
    NotStarted,
    Cancelled,
}

pub(super) struct OwnFailure {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) details: String,
    pub(super) bad_arguments: bool,
}

/// Ends and begins, in the order in which they came.
#[derive(Default)]
pub(super) struct Outbox {
    began: Vec<(Tag, u64)>,
    ended: Vec<(Tag, u64, How)>,
}

impl Outbox {
    pub(super) fn began(&mut self, tag: Tag, at: u64) {
        self.began.push((tag, at));
    }

    pub(super) fn ended(&mut self, tag: Tag, micros: u64, how: How) {
        self.ended.push((tag, micros, how));
    }

    pub(super) fn len(&self) -> usize {
        self.began.len() + self.ended.len()
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
    let how = match how {
        How::Returned(value) => frame::How::Returned(Raw(value)),
        How::Failed(own) => frame::How::Failed(failure(own)),
        How::Retry { after, failure: own, arguments } => frame::How::Retry {
            after: *after,
            failure: failure(own),
            arguments: arguments.as_ref().map(|(args, kwargs)| (Raw(args), Raw(kwargs))),
        },
        How::Ignored => frame::How::Ignored,
        How::Rejected { requeue, why } => frame::How::Rejected { requeue: *requeue, why: why.clone() },
        How::NotStarted => frame::How::NotStarted,
        How::Cancelled => frame::How::Cancelled,
    };
    Ended { tag: *tag, micros: *micros, how }
}

fn failure(own: &OwnFailure) -> Failure<'_> {
    Failure {
        kind: &own.kind,
        message: &own.message,
        details: &own.details,
        bad_arguments: own.bad_arguments,
    }
}
