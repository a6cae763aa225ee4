use std::fmt;

/// What an error asks of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The other side cannot be reached or is busy: try again later.
    Unavailable,
    /// No answer in time; see [`crate::Applied`] for whether it was done all the same.
    Timeout,
    /// Somebody else was first: read again, then decide.
    Conflict,
    /// The input or a setting is wrong: correct it.
    Invalid,
    NotFound,
    /// Stored data is damaged or was written by something else.
    Data,
    /// It was closed on purpose.
    Closed,
    /// The task failed; nothing is wrong with Cardoon.
    Failed,
    /// A mistake in Cardoon: please report it.
    Internal,
}

impl Kind {
    /// The exit status of a command that ends with such an error.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Invalid => 2,
            Self::Unavailable | Self::Timeout => 3,
            Self::NotFound => 4,
            Self::Conflict | Self::Data | Self::Closed | Self::Failed | Self::Internal => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
