//! The names that travel: task ids and queue names.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

const MAX_BYTES: usize = 255;

/// The id of a task, chosen by its sender and the same for all its attempts.
///
/// Ours are UUIDs of version 7; any text of 1 to 255 bytes without control characters is accepted, as
/// Celery accepts it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskId(Arc<str>);

/// The name of a queue: 1 to 255 bytes without control characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(Arc<str>);

/// Why a text is no id and no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdError {
    /// The text is empty.
    Empty,
    /// The text has more than 255 bytes; this many.
    TooLong(usize),
    /// The text holds a control character.
    ControlCharacter,
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::TooLong(bytes) => write!(f, "it has {bytes} bytes, more than {MAX_BYTES}"),
            Self::ControlCharacter => f.write_str("it holds a control character"),
        }
    }
}

impl std::error::Error for IdError {}

fn checked(text: &str) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > MAX_BYTES {
        return Err(IdError::TooLong(text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(IdError::ControlCharacter);
    }
    Ok(text.into())
}

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// Checks and wraps `text`.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                checked(text.as_ref()).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().into()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name_type!(TaskId);
name_type!(QueueName);

impl QueueName {
    /// The queue that a task goes to when nothing else is said: `celery`, as in Celery.
    pub fn default_queue() -> Self {
        Self("celery".into())
    }
}

impl Default for QueueName {
    fn default() -> Self {
        Self::default_queue()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_cannot_be_names_are_refused_with_the_reason() {
        assert_eq!(TaskId::new(""), Err(IdError::Empty));
        assert_eq!(TaskId::new("x".repeat(256)), Err(IdError::TooLong(256)));
        assert_eq!(QueueName::new("a\nb"), Err(IdError::ControlCharacter));
        assert!(serde_json::from_str::<TaskId>("\"\"").is_err());
    }

    #[test]
    fn any_printable_text_is_an_id() {
        assert_eq!(TaskId::new("任务-1").unwrap().as_str(), "任务-1");
    }
}
