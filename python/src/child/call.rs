//! A call that runs, as Python sees it.

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use cardoon_runtime::FineInstant;
use pyo3::prelude::*;

use super::shared::Taken;

thread_local! {
    /// The call that this thread runs.
    static CURRENT: RefCell<Option<Py<Call>>> = const { RefCell::new(None) };
}

/// One call of a task.
#[pyclass(frozen, module = "cardoon._core")]
pub(crate) struct Call {
    taken: Taken,
    began: FineInstant,
}

#[pymethods]
impl Call {
    /// The supervisor's name for it.
    #[getter]
    pub(super) fn tag(&self) -> u64 {
        self.taken.tag
    }

    /// Which task, by its place in the greeting.
    #[getter]
    pub(super) fn task(&self) -> u32 {
        self.taken.task
    }

    #[getter]
    fn id(&self) -> &str {
        text(&self.taken.id)
    }

    /// The number of this run of the task: it only grows, so it serves as a fencing token.
    #[getter]
    fn run(&self) -> u64 {
        self.taken.run
    }

    /// 0 for the first attempt.
    #[getter]
    fn retries(&self) -> u32 {
        self.taken.attempt
    }

    #[getter]
    fn root_id(&self) -> Option<&str> {
        self.taken.root_id.as_ref().map(text)
    }

    #[getter]
    fn parent_id(&self) -> Option<&str> {
        self.taken.parent_id.as_ref().map(text)
    }

    #[getter]
    fn queue(&self) -> &str {
        text(&self.taken.queue)
    }

    #[getter]
    fn priority(&self) -> u8 {
        self.taken.priority
    }

    #[getter]
    fn redelivered(&self) -> bool {
        self.taken.redelivered
    }

    /// The hard limit and the soft one, in seconds.
    #[getter]
    fn timelimit(&self) -> (Option<f64>, Option<f64>) {
        let secs = |millis: u64| (millis > 0).then(|| millis as f64 / 1000.0);
        (secs(self.taken.time_limit), secs(self.taken.soft_time_limit))
    }

    /// The message's own headers, as JSON.
    #[getter]
    fn headers(&self) -> &[u8] {
        &self.taken.headers
    }
}

impl Call {
    pub(super) fn new(taken: Taken) -> Self {
        Self { taken, began: FineInstant::now() }
    }

    pub(super) fn ran(&self) -> Duration {
        FineInstant::now().since(self.began)
    }

    pub(super) fn args(&self) -> &Bytes {
        &self.taken.args
    }

    pub(super) fn kwargs(&self) -> &Bytes {
        &self.taken.kwargs
    }

    pub(super) fn report(&self) -> bool {
        self.taken.report
    }
}

/// The call that this thread runs, if it runs one.
#[pyfunction]
pub(crate) fn current_call(py: Python<'_>) -> Option<Py<Call>> {
    CURRENT.with_borrow(|current| current.as_ref().map(|call| call.clone_ref(py)))
}

pub(super) fn set_current(call: Option<Py<Call>>) {
    // Dropped after the borrow: a destructor may ask for the current call.
    let before = CURRENT.replace(call);
    drop(before);
}

/// The frame held a text there, which was checked when it was read.
fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
