//! A program's connection to its stores.

mod open;
mod options;
mod record;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon::TaskId;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::errors::raise;
use open::Open;
use options::{signature, task_id};
pub(crate) use record::Record;

/// Sends tasks and asks what became of them. Connects when it is first used, and again in a process that was forked.
#[pyclass(frozen, module = "cardoon._core")]
pub(crate) struct Client {
    broker: Option<String>,
    results: Option<String>,
    queue: Option<String>,
    open: Mutex<Option<Arc<Open>>>,
}

#[pymethods]
impl Client {
    /// The URLs of the stores; those of the environment, of `cardoon.toml`, or the project's database by default. `queue`
    /// is that of tasks which name none.
    #[new]
    #[pyo3(signature = (broker=None, results=None, queue=None))]
    fn new(broker: Option<String>, results: Option<String>, queue: Option<String>) -> Self {
        Self { broker, results, queue, open: Mutex::new(None) }
    }

    /// Where the stores are, for people; without passwords.
    fn location(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.open(py)?.location())
    }

    /// Sends a task and answers its id. When this returns, it is stored.
    #[pyo3(signature = (task, args, kwargs, options=None))]
    fn send(
        &self,
        py: Python<'_>,
        task: &Bound<'_, PyString>,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<String> {
        let signature = signature(task, args, kwargs, options)?;
        let open = self.open(py)?;
        py.detach(|| open.send(signature)).map(|id| id.to_string()).map_err(|error| raise(&error))
    }

    /// Sends many tasks, in order. Answers an id or an exception for each.
    fn send_many(&self, py: Python<'_>, calls: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
        let mut signatures = Vec::new();
        for call in calls.try_iter()? {
            let (task, args, kwargs, options): Parts<'_> = call?.extract()?;
            signatures.push(signature(&task, &args, &kwargs, options.as_ref())?);
        }
        let open = self.open(py)?;
        let answers = py.detach(|| open.send_many(signatures));
        let answer = |answer: cardoon::Result<TaskId>| match answer {
            Ok(id) => Ok(PyString::new(py, id.as_str()).into_any().unbind()),
            Err(error) => Ok(raise(&error).into_value(py).into_any()),
        };
        answers.into_iter().map(answer).collect()
    }

    /// The latest record of each task, if it has one.
    fn records(&self, py: Python<'_>, ids: Vec<String>) -> PyResult<Vec<Option<Record>>> {
        let ids = ids.iter().map(|id| task_id(id)).collect::<PyResult<Vec<_>>>()?;
        let open = self.open(py)?;
        let records = py.detach(|| open.records(&ids)).map_err(|error| raise(&error))?;
        Ok(records.into_iter().map(|record| record.map(Record::from)).collect())
    }

    /// Waits for the end of a task, at most `timeout` seconds; None when that is over. Ctrl-C ends it.
    #[pyo3(signature = (id, timeout=None))]
    fn wait(&self, py: Python<'_>, id: &str, timeout: Option<f64>) -> PyResult<Option<Record>> {
        let id = task_id(id)?;
        let limit = timeout.map(|secs| Duration::try_from_secs_f64(secs.max(0.0)).unwrap_or(Duration::MAX));
        let open = self.open(py)?;
        Ok(open.wait(py, &id, limit)?.map(Record::from))
    }

    /// Where a task stands, in Celery's words. `PENDING` also for a task that nothing is known of.
    fn state(&self, py: Python<'_>, id: &str) -> PyResult<&'static str> {
        let id = task_id(id)?;
        let open = self.open(py)?;
        py.detach(|| open.state(&id)).map(cardoon::TaskState::as_str).map_err(|error| raise(&error))
    }

    /// What a running task said last of how far it is.
    fn progress(&self, py: Python<'_>, id: &str) -> PyResult<Option<String>> {
        let id = task_id(id)?;
        let open = self.open(py)?;
        py.detach(|| open.progress(&id)).map_err(|error| raise(&error))
    }

    /// Revokes a task, durably.
    fn revoke(&self, py: Python<'_>, id: &str) -> PyResult<()> {
        let id = task_id(id)?;
        let open = self.open(py)?;
        py.detach(|| open.revoke(&id)).map_err(|error| raise(&error))
    }

    /// Deletes what is known of an ended task. Answers whether something was.
    fn forget(&self, py: Python<'_>, id: &str) -> PyResult<bool> {
        let id = task_id(id)?;
        let open = self.open(py)?;
        py.detach(|| open.forget(&id)).map_err(|error| raise(&error))
    }

    /// Ends the connection. The next use connects again.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let open = self.lock().take();
        match open {
            Some(open) => py.detach(|| open.close()).map_err(|error| raise(&error)),
            None => Ok(()),
        }
    }
}

type Parts<'py> = (Bound<'py, PyString>, Bound<'py, PyAny>, Bound<'py, PyAny>, Option<Bound<'py, PyDict>>);

impl Client {
    fn open(&self, py: Python<'_>) -> PyResult<Arc<Open>> {
        if let Some(open) = self.lock().as_ref().filter(|open| open.is_ours()) {
            return Ok(Arc::clone(open));
        }
        py.detach(|| self.connect()).map_err(|error| raise(&error))
    }

    fn connect(&self) -> cardoon::Result<Arc<Open>> {
        let mut slot = self.lock();
        if let Some(open) = slot.as_ref().filter(|open| open.is_ours()) {
            return Ok(Arc::clone(open));
        }
        if let Some(inherited) = slot.take() {
            // Its threads are in the process that forked this one: there is nobody to close it.
            std::mem::forget(inherited);
        }
        let open = Open::connect(self.broker.as_deref(), self.results.as_deref(), self.queue.as_deref())?;
        let open = Arc::new(open);
        *slot = Some(Arc::clone(&open));
        Ok(open)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<Open>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
