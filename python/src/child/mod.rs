//! The child's side: takes calls from its supervisor, runs them, tells how they ended.
//!
//! ```text
//!  supervisor ──frames──► line thread (no GIL) ──► queue ──► lanes: the main thread, or several threads, or a loop
//!            ◄──frames── outbox ◄────────────────────────────┘
//! ```

mod call;
mod execute;
mod handles;
mod line;
mod outbox;
mod shared;

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

pub(crate) use call::{Call, current_call};
use execute::Tasks;
use outbox::How;
use shared::Shared;

/// A process that runs tasks for a supervisor.
#[pyclass(frozen, module = "cardoon._core")]
pub(crate) struct Child {
    shared: Arc<Shared>,
    tasks: Tasks,
}

#[pymethods]
impl Child {
    /// `socket` leads to the supervisor, `note` is where the call that runs is noted, `wake` is an event descriptor that is
    /// raised when calls have come (-1: nobody looks). All of them are owned by this object from now on.
    ///
    /// `entries` has what is called for each task, in the order of the greeting; `judge` is called with a call and what it
    /// has raised, and answers what that means. Return values of more than `max_result` bytes are refused.
    #[new]
    fn new(
        socket: i32,
        note: i32,
        wake: i32,
        entries: Vec<Py<PyAny>>,
        judge: Py<PyAny>,
        max_result: usize,
    ) -> PyResult<Self> {
        let shared =
            Arc::new(Shared::new(handles::socket(socket), handles::file(note), handles::event(wake))?);
        Ok(Self { shared, tasks: Tasks { entries, judge, max_result } })
    }

    /// Starts to listen, and says that calls are welcome.
    fn start(&self) -> PyResult<()> {
        line::start(Arc::clone(&self.shared))?;
        self.shared.say_ready()?;
        Ok(())
    }

    /// Runs calls, one after the other, until the supervisor lets this child end. Several threads may do so. `noted`: the
    /// call that runs is noted, which only one thread can do.
    fn serve(&self, py: Python<'_>, noted: bool) -> PyResult<()> {
        while let Some(taken) = self.next(py) {
            self.tasks.execute(py, &self.shared, taken, noted)?;
        }
        Ok(py.detach(|| self.shared.flush())?)
    }

    /// All calls that have come and not been taken; for an event loop. Those that may not begin any more are left out.
    fn take_all(&self) -> Vec<Call> {
        self.shared
            .take_all()
            .into_iter()
            .filter_map(|taken| execute::begin(&self.shared, taken, false))
            .collect()
    }

    /// Whether the supervisor lets this child end.
    fn is_stopped(&self) -> bool {
        self.shared.is_stopped()
    }

    /// The arguments of a call.
    #[staticmethod]
    fn arguments<'py>(py: Python<'py>, call: &Call) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyAny>)> {
        execute::arguments(py, call)
    }

    /// What is called for a call.
    fn entry(&self, py: Python<'_>, call: &Call) -> PyResult<Py<PyAny>> {
        Ok(self.tasks.entry(call)?.clone_ref(py))
    }

    /// A call has returned `value`.
    fn finish(&self, py: Python<'_>, call: &Call, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let how = self.tasks.returned(py, call, value);
        self.end(py, call, how)
    }

    /// A call has raised `error`.
    fn fail(&self, py: Python<'_>, call: &Bound<'_, Call>, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let how = self.tasks.raised(py, call, error);
        self.end(py, call.get(), how)
    }

    /// A call was cancelled from outside, and does not run any more.
    fn cancelled(&self, py: Python<'_>, call: &Call) -> PyResult<()> {
        self.end(py, call, How::Cancelled)
    }

    /// The calls that the supervisor wants to stop, each with whether that is because of its soft limit. Told once.
    fn cancels(&self) -> Vec<(u64, bool)> {
        self.shared.take_cancels()
    }

    /// Whether the call that the main thread runs has reached its soft time limit. Told once.
    fn soft_limit_is_over(&self) -> bool {
        self.shared.take_soft_limit()
    }

    /// How far a call is: a JSON document. In a process that the call has forked it says nothing.
    fn say_state(&self, py: Python<'_>, call: &Call, document: &[u8]) -> PyResult<()> {
        Ok(py.detach(|| self.shared.say_state(call.tag(), document))?)
    }
}

impl Child {
    fn next(&self, py: Python<'_>) -> Option<shared::Taken> {
        if let Some(taken) = self.shared.try_take() {
            return Some(taken);
        }
        py.detach(|| self.shared.take())
    }

    fn end(&self, py: Python<'_>, call: &Call, how: How) -> PyResult<()> {
        self.shared.end(call.tag(), call.ran(), how);
        Ok(py.detach(|| self.shared.flush_if_due())?)
    }
}
