use std::path::PathBuf;
use std::time::Duration;

use cardoon_core::lease::LeaseTerms;
use serde::{Deserialize, Serialize};

use crate::{Plant, Trap};

/// What a worker process of a drill is told, as JSON on its command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WorkerSpec {
    pub name: String,
    /// Where its tasks are.
    pub url: String,
    pub witness: PathBuf,
    pub slots: u32,
    pub lease: Duration,
    pub heartbeat: Duration,
    /// Knows the task that was deployed last, `drill.new`.
    pub knows_new: bool,
    /// Where the process kills or stops itself.
    pub trap: Option<Trap>,
    /// A bug that the drill has to notice.
    pub plant: Option<Plant>,
}

impl WorkerSpec {
    pub(crate) fn terms(&self) -> LeaseTerms {
        LeaseTerms { lease: self.lease, heartbeat: self.heartbeat }
    }

    #[must_use]
    pub fn url(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    #[must_use]
    pub fn slots(self, slots: u32) -> Self {
        Self { slots, ..self }
    }

    /// A short lease, so that a drill which waits for its end is short too.
    #[must_use]
    pub fn lease(self, lease: Duration) -> Self {
        Self { lease, heartbeat: lease / 5, ..self }
    }

    #[must_use]
    pub fn trap(self, trap: Trap) -> Self {
        Self { trap: Some(trap), ..self }
    }

    #[must_use]
    pub fn plant(self, plant: Option<Plant>) -> Self {
        Self { plant, ..self }
    }

    #[must_use]
    pub fn knows_new(self) -> Self {
        Self { knows_new: true, ..self }
    }
}
