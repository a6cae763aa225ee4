//! What is known of an ended run.

use cardoon::{ResultRecord, Timestamp};
use pyo3::prelude::*;

use crate::json;

/// The end of a run of a task.
#[pyclass(frozen, module = "cardoon._core")]
pub(crate) struct Record(ResultRecord);

#[pymethods]
impl Record {
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The name of the task; empty if it is not known.
    #[getter]
    fn task(&self) -> &str {
        &self.0.task
    }

    #[getter]
    fn queue(&self) -> &str {
        self.0.queue.as_str()
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.as_str()
    }

    #[getter]
    fn is_final(&self) -> bool {
        self.0.state.is_final()
    }

    #[getter]
    fn retries(&self) -> u32 {
        self.0.attempt
    }

    #[getter]
    fn worker(&self) -> &str {
        &self.0.worker
    }

    /// The return value; None if there is none.
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::read(py, self.0.value.as_deref().unwrap_or(b"null"))
    }

    /// Kind, message and traceback of the failure, if it failed.
    #[getter]
    fn failure(&self) -> Option<(&str, &str, &str)> {
        let failure = self.0.failure.as_ref()?;
        Some((&failure.kind, &failure.message, &failure.details))
    }

    /// What the exception was made of; None if that was just the message.
    fn arguments<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let arguments = self.0.failure.as_ref().and_then(|failure| failure.arguments.as_ref());
        arguments.map(|arguments| json::read(py, arguments.as_bytes())).transpose()
    }

    /// In seconds since 1970; None if it never started.
    #[getter]
    fn started_at(&self) -> Option<f64> {
        self.0.started_at.map(secs)
    }

    #[getter]
    fn finished_at(&self) -> f64 {
        secs(self.0.finished_at)
    }
}

impl From<ResultRecord> for Record {
    fn from(record: ResultRecord) -> Self {
        Self(record)
    }
}

fn secs(time: Timestamp) -> f64 {
    time.0 as f64 / 1000.0
}
