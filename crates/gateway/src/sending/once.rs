//! Idempotency keys: a request is reserved under its key, then published, then marked as published. A repeat finds the ids.

use std::time::Duration;

use bytes::Bytes;
use cardoon_coord::Coordinator;
use cardoon_core::TaskId;
use cardoon_errors::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::auth::hex;

/// How long a key is remembered.
const KEPT: Duration = Duration::from_hours(24);
/// Tries to reserve a key that expires at this very moment.
const TRIES: usize = 3;
const FOLDER: &str = "gateway/once/";

/// What is kept under a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reservation {
    digest: String,
    ids: Vec<TaskId>,
    published: bool,
}

/// The place of a request under its key.
#[derive(Debug)]
pub(crate) struct Once {
    key: String,
    version: u64,
    reservation: Reservation,
    /// Whether somebody was here before.
    pub(crate) is_repeat: bool,
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

impl Once {
    /// Takes the key for these ids, or finds what was sent under it before.
    ///
    /// Errors: `CD7004` if that was another request.
    pub(crate) async fn reserve(
        coord: &dyn Coordinator,
        key: &str,
        digest: String,
        ids: Vec<TaskId>,
    ) -> Result<Self> {
        let key = format!("{FOLDER}{}", hex(&Sha256::digest(key.as_bytes())));
        let wanted = Reservation { digest, ids, published: false };
        for _ in 0..TRIES {
            if let Some(version) = coord.compare_and_set(&key, None, wanted.written()?, Some(KEPT)).await? {
                return Ok(Self { key, version, reservation: wanted, is_repeat: false });
            }
            let Some(entry) = coord.get(&key).await? else { continue };
            let reservation = Reservation::read(&entry.value)?;
            if reservation.digest != wanted.digest {
                return Err(belongs_to_another(&reservation));
            }
            return Ok(Self { key, version: entry.version, reservation, is_repeat: true });
        }
        Err(Error::new(Code::NoAnswer, "the idempotency key could not be reserved")
            .hint("repeat the request: nothing was sent"))
    }

    pub(crate) fn ids(&self) -> &[TaskId] {
        &self.reservation.ids
    }

    /// Whether the tasks are known to be sent.
    pub(crate) fn is_published(&self) -> bool {
        self.reservation.published
    }

    /// Notes that the tasks are sent. If that fails, a repeat sends them again, under the same ids.
    pub(crate) async fn mark_published(mut self, coord: &dyn Coordinator) {
        self.reservation.published = true;
        let marked = match self.reservation.written() {
            Ok(value) => coord.compare_and_set(&self.key, Some(self.version), value, Some(KEPT)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = marked {
            tracing::debug!(%error, "a key was not marked as published");
        }
    }
}

impl Reservation {
    fn written(&self) -> Result<Bytes> {
        serde_json::to_vec(self)
            .map(Bytes::from)
            .map_err(|error| Error::new(Code::Internal, "a reservation cannot be written").source(error))
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| {
            Error::new(Code::Internal, "what is kept under an idempotency key cannot be read").source(error)
        })
    }
}

fn belongs_to_another(reservation: &Reservation) -> Error {
    let error = Error::new(Code::KeyReused, "another request was sent under this idempotency key");
    let first = reservation.ids.first();
    let error = first.into_iter().fold(error, |error, id| error.checked(format!("its task: {id}")));
    error.hint("take a new key for each thing to do; repeat it only with the same contents")
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
}
