use bytes::Bytes;
use cardoon_core::TaskId;
use cardoon_errors::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::auth::hex;

/// What is kept under a key: which request it belongs to, the ids of its tasks, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reservation {
    pub(super) digest: String,
    pub(super) ids: Vec<TaskId>,
    pub(super) state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// Somebody is at it, or has died of it.
    Sending,
    /// Whether all is sent is not known, and nobody is at it.
    Open,
    Sent,
    /// Nothing was sent and nothing will be: the key is free.
    Refused,
}

/// What tells whether two requests ask for the same: their JSON without the blanks between its parts.
pub(crate) fn digest(body: &[u8]) -> String {
    let mut hash = Sha256::new();
    let (mut in_text, mut escaped, mut begin) = (false, false, 0);
    for (place, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b' ' | b'\t' | b'\n' | b'\r' if !in_text => {
                hash.update(&body[begin..place]);
                begin = place + 1;
            }
            _ => {}
        }
    }
    hash.update(&body[begin..]);
    hex(&hash.finalize())
}

impl Reservation {
    pub(super) fn new(digest: String, ids: Vec<TaskId>) -> Self {
        Self { digest, ids, state: State::Sending }
    }

    pub(super) fn with(&self, state: State) -> Self {
        Self { state, ..self.clone() }
    }

    pub(super) fn written(&self) -> Result<Bytes> {
        serde_json::to_vec(self)
            .map(Bytes::from)
            .map_err(|error| Error::new(Code::Internal, "a reservation cannot be written").source(error))
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(Code::Internal, "what is kept under an idempotency key cannot be read").source(error)
        })
    }

    /// The error of a request that is not the one of this key.
    pub(super) fn taken(&self) -> Error {
        let error = match self.state {
            State::Sent => Error::new(Code::KeyReused, "another request was sent under this idempotency key"),
            _ => Error::new(Code::KeyReused, "another request has this idempotency key")
                .checked("whether its task was sent is not known yet"),
        };
        let first = self.ids.first();
        let error = first.into_iter().fold(error, |error, id| error.checked(format!("its task: {id}")));
        error.hint("take a new key for each thing to do; repeat it only with the same contents")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blanks_between_the_parts_are_left_out() {
        let of = |text: &str| digest(text.as_bytes());
        assert_eq!(of(r#"{"a": [1, "x y\" z"]}"#), of("{\"a\":[1,\n\"x y\\\" z\"]}"));
        assert_ne!(of(r#"["x y"]"#), of(r#"["xy"]"#));
        assert_ne!(of(r#"["\\", " a"]"#), of(r#"["\\", "a"]"#));
        assert_ne!(of("[1.0]"), of("[1]"));
    }

    #[test]
    fn an_error_says_that_something_was_sent_only_if_it_was() {
        let reservation = Reservation::new(String::new(), vec!["t-1".parse().unwrap()]);
        let sent = reservation.with(State::Sent).taken();
        assert_eq!(
            (sent.message().contains("was sent"), sent.findings()),
            (true, &["its task: t-1".into()][..])
        );
        for state in [State::Sending, State::Open] {
            let error = reservation.with(state).taken();
            assert!(!error.message().contains("was sent") && error.findings().len() == 2, "{error}");
        }
    }
}
