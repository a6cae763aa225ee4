use std::sync::{Arc, Mutex, PoisonError};

use cardoon_engine::{Engine, Stage};
use pyo3::prelude::*;

/// How far one query has come.
#[pyclass(frozen, module = "cardoon_data._engine")]
#[derive(Default)]
pub(crate) struct Progress {
    query: Mutex<Option<Arc<Engine>>>,
}

/// Rows and bytes that were read, bytes of all files if that is known; rows that were left out, bytes that were spilled;
/// how often the query began again, and how often it was asked again because executors were lost.
type Counts = (u64, u64, Option<u64>, u64, u64, u64, u64);

/// Its name, rows that it has given out, tasks that have ended, and all.
type OneStage = (String, u64, u64, u64);

#[pymethods]
impl Progress {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// What is known now.
    fn told(&self) -> (Counts, Vec<OneStage>) {
        let query = self.query.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = query.map(|query| query.progress()).unwrap_or_default();
        let cardoon_engine::Progress {
            rows,
            bytes,
            all_bytes,
            bad_rows,
            spilled_bytes,
            restarts,
            retries,
            stages,
        } = now;
        let stage = |Stage { name, rows, tasks_done, tasks }: Stage| (name, rows, tasks_done, tasks);
        let counts = (rows, bytes, all_bytes, bad_rows, spilled_bytes, restarts, retries);
        (counts, stages.into_iter().map(stage).collect())
    }
}

impl Progress {
    pub(crate) fn follow(&self, query: Arc<Engine>) {
        *self.query.lock().unwrap_or_else(PoisonError::into_inner) = Some(query);
    }
}
