use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::stores::Object;

/// Where a file is that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Location {
    /// In a file system, under this path.
    Local(PathBuf),
    /// In an object store.
    Object(Object),
}

impl Location {
    /// Its name without that of its folder.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Local(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Self::Object(object) => object.url.key.rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }

    /// Its length in bytes, as it is stored.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Local(path) => path.metadata().map_or(0, |file| file.len()),
            Self::Object(object) => object.bytes,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Object(object) => write!(f, "{}", object.url),
        }
    }
}
