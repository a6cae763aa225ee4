//! Disks without room.

use std::error::Error as Cause;
use std::io;

use cardoon_errors::{Code, Error};
use datafusion::error::DataFusionError;

/// What the system says then, for errors of which only the words have come.
const SAID: [&str; 3] = ["No space left on device", "Disk quota exceeded", "File too large"];

/// Whether a file could not grow, because of the disk, of a quota or of a limit to its size.
pub(crate) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

pub(super) fn is_caused_by_full(cause: &(dyn Cause + 'static)) -> bool {
    cause.downcast_ref().is_some_and(is_full)
}

/// The error of a full disk, if `said` is what came of it.
pub(super) fn said_full(said: &str) -> Option<DataFusionError> {
    let is_full = SAID.iter().any(|words| said.contains(words));
    is_full.then(|| DataFusionError::IoError(io::ErrorKind::StorageFull.into()))
}

pub(super) fn spill_full() -> Error {
    Error::new(Code::SpillFull, "the disk for spilled data is full")
        .hint("name a folder on a larger disk: --spill-folder, --folder of an executor, or TMPDIR")
}
