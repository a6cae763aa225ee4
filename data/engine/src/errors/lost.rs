use std::fmt;

use cardoon_errors::{Code, Error};
use datafusion::error::DataFusionError;

use super::causes;

/// What a query has produced was lost with an executor, so that it has to begin again.
#[derive(Debug)]
struct Lost(Error);

/// The error of a query whose executors were lost.
pub fn lost(found: impl Into<String>) -> DataFusionError {
    let error = Error::new(Code::ExecutorsLost, "executors were lost again and again while the query ran")
        .checked(found)
        .hint("look whether they run out of memory; cardoon data executor --memory gives them more");
    DataFusionError::External(Box::new(Lost(error)))
}

/// Whether trying again may help.
pub fn was_lost(error: &DataFusionError) -> bool {
    causes(error).any(<dyn std::error::Error + 'static>::is::<Lost>)
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Lost {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
