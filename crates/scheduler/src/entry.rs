//! A periodic task.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Schedule, Zone};

/// How old a tick may be that is sent under [`CatchUp::None`].
pub const LATE_MAX: Duration = Duration::from_mins(1);

/// What is sent, and when. `T` is what the caller needs to send it, such as a signature; nothing here looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<T> {
    /// Unique among the entries of an app. It is part of the ids of the tasks that are sent.
    pub name: String,
    pub schedule: Schedule,
    /// The clocks that a crontab is compared with.
    pub zone: Zone,
    pub catch_up: CatchUp,
    pub task: T,
}

/// What becomes of ticks that nobody sent in time, because no scheduler was running or the broker was away. Of
/// many, at most the latest is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CatchUp {
    /// The latest is sent, however old it is.
    #[default]
    Latest,
    /// The latest is sent if it is at most [`LATE_MAX`] old.
    None,
}
