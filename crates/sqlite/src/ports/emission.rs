//! A batch of events on its way into the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cardoon_core::Event;
use cardoon_errors::Result;

use crate::tables::{Step, events};
use crate::writer::Operation;

/// Counted as long as it waits to be written.
pub(super) struct Emission {
    batch: String,
    under_way: Arc<AtomicUsize>,
}

impl Emission {
    /// Events become text on the caller's thread: the writer's time is the dearest of all.
    pub(super) fn new(batch: &[Event], under_way: &Arc<AtomicUsize>) -> serde_json::Result<Self> {
        let batch = serde_json::to_string(batch)?;
        under_way.fetch_add(1, Ordering::Relaxed);
        Ok(Self { batch, under_way: Arc::clone(under_way) })
    }
}

impl Operation for Emission {
    fn weight(&self) -> usize {
        1
    }

    fn is_urgent(&self) -> bool {
        false
    }

    fn run(&mut self, step: &mut Step<'_>) -> rusqlite::Result<()> {
        events::insert(step, &self.batch)
    }

    /// Events may be lost, so nobody waits.
    fn answer(self: Box<Self>, _outcome: Result<()>) {}
}

impl Drop for Emission {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Ordering::Relaxed);
    }
}
