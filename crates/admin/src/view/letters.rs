use cardoon_broker::DeadLetter;
use cardoon_core::{DeadReason, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::times::rfc3339;

/// A dead letter in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterLine {
    pub id: String,
    pub task: String,
    pub queue: String,
    #[schema(value_type = String, example = "retries-exhausted")]
    pub reason: DeadReason,
    /// The reason in words.
    pub detail: String,
    pub attempt: u32,
    pub deaths: u32,
    pub died_at: String,
    #[serde(skip)]
    pub at: Timestamp,
}

/// A dead letter with its original bytes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Letter)]
pub struct LetterView {
    pub id: String,
    pub task: String,
    pub queue: String,
    #[schema(value_type = String)]
    pub reason: DeadReason,
    pub detail: String,
    pub attempt: u32,
    pub deaths: u32,
    pub died_at: String,
    pub content_type: String,
    pub content_encoding: String,
    pub headers: BytesView,
    pub body: BytesView,
}

/// Bytes that are no text are given as numbers, so that none is lost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Bytes)]
pub enum BytesView {
    Text(String),
    Bytes(Vec<u8>),
}

impl LetterLine {
    pub fn of(letter: DeadLetter) -> Self {
        Self {
            id: letter.message.id.to_string(),
            task: letter.message.task,
            queue: letter.queue.to_string(),
            reason: letter.reason,
            detail: letter.detail,
            attempt: letter.message.attempt,
            deaths: letter.deaths,
            died_at: rfc3339(letter.died_at),
            at: letter.died_at,
        }
    }
}

impl LetterView {
    pub fn of(letter: &DeadLetter) -> Self {
        let message = &letter.message;
        Self {
            id: message.id.to_string(),
            task: message.task.clone(),
            queue: letter.queue.to_string(),
            reason: letter.reason,
            detail: letter.detail.clone(),
            attempt: message.attempt,
            deaths: letter.deaths,
            died_at: rfc3339(letter.died_at),
            content_type: message.content_type.to_string(),
            content_encoding: message.content_encoding.to_string(),
            headers: BytesView::of(&message.headers),
            body: BytesView::of(&message.body),
        }
    }
}

impl BytesView {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(bytes.to_vec()),
        }
    }
}
