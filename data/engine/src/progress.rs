use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardoon_csv::Scan;
use datafusion::physical_plan::ExecutionPlan;

/// How far a query has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Rows of CSV files that were read.
    pub rows: u64,
    /// Bytes of CSV files that were read, after they were unpacked.
    pub bytes: u64,
    /// Bytes of all CSV files; none if one of them is compressed.
    pub all_bytes: Option<u64>,
    /// Rows that could not be read and were left out.
    pub bad_rows: u64,
    /// Bytes that did not fit into the memory and went through files.
    pub spilled_bytes: u64,
    /// How often the query began again because a column had to be widened.
    pub restarts: u64,
}

/// Watches the query that runs.
#[derive(Default)]
pub(crate) struct Watch {
    restarts: AtomicU64,
    running: Mutex<Running>,
}

#[derive(Default)]
struct Running {
    scans: Vec<(Arc<Scan>, Option<u64>)>,
    plan: Option<Arc<dyn ExecutionPlan>>,
}

impl Watch {
    /// A query begins.
    pub(crate) fn begin(&self) {
        self.restarts.store(0, Ordering::Relaxed);
        *self.running() = Running::default();
    }

    /// The query begins again; answers how often it has.
    pub(crate) fn restart(&self) -> u64 {
        *self.running() = Running::default();
        self.restarts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Files are going to be read, of so many bytes if that is known.
    pub(crate) fn add(&self, scan: Arc<Scan>, bytes: Option<u64>) {
        self.running().scans.push((scan, bytes));
    }

    pub(crate) fn follow(&self, plan: Arc<dyn ExecutionPlan>) {
        self.running().plan = Some(plan);
    }

    pub(crate) fn progress(&self) -> Progress {
        let running = self.running();
        let mut progress = Progress {
            all_bytes: running.scans.iter().map(|(_, bytes)| *bytes).sum(),
            spilled_bytes: running.plan.as_ref().map_or(0, spilled),
            restarts: self.restarts.load(Ordering::Relaxed),
            ..Progress::default()
        };
        for (scan, _) in &running.scans {
            let read = scan.progress();
            progress.rows += read.rows;
            progress.bytes += read.bytes;
            progress.bad_rows += read.bad_rows;
        }
        progress
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a step and all steps below it have spilled.
fn spilled(plan: &Arc<dyn ExecutionPlan>) -> u64 {
    let own = plan.metrics().and_then(|metrics| metrics.spilled_bytes()).unwrap_or_default();
    own as u64 + plan.children().into_iter().map(spilled).sum::<u64>()
}
