use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use cardoon_errors::Error;
use serde::{Deserialize, Serialize};

use super::csv;
use crate::stores::{Object, Stores};

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

    /// Its first bytes, `most` at most, as they are stored.
    pub(crate) async fn begin(&self, most: u64) -> Result<Vec<u8>, Error> {
        self.part(0..self.bytes().min(most)).await
    }

    /// Its last bytes, `most` at most, as they are stored.
    pub(crate) async fn end(&self, most: u64) -> Result<Vec<u8>, Error> {
        let bytes = self.bytes();
        self.part(bytes.saturating_sub(most)..bytes).await
    }

    async fn part(&self, range: Range<u64>) -> Result<Vec<u8>, Error> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        match self {
            Self::Local(path) => part(path, range).map_err(|error| csv::unreadable(&self.to_string(), error)),
            Self::Object(Object { url, options, etag, .. }) => {
                let bucket = Stores::of_process()?.bucket(&url.bucket, options.as_deref())?;
                Ok(bucket.read(&url.key, range, etag.clone()).await?.into())
            }
        }
    }
}

fn part(path: &Path, range: Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    let mut part = Vec::new();
    file.take(range.end - range.start).read_to_end(&mut part)?;
    Ok(part)
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Object(object) => write!(f, "{}", object.url),
        }
    }
}
