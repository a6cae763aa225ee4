//! Runs one call.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use cardoon_children::Failure;
use pyo3::exceptions::{PyBaseException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use super::call::{Call, set_current};
use super::outbox::How;
use super::shared::{Shared, Taken};
use crate::json;

/// The application's tasks.
pub(super) struct Tasks {
    /// What is called, by the place of the task in the greeting.
    pub(super) entries: Vec<Py<PyAny>>,
    /// Says what an exception means.
    pub(super) judge: Py<PyAny>,
    /// Larger return values are refused, in bytes: they would be refused where they are stored.
    pub(super) max_result: usize,
}

impl Tasks {
    pub(super) fn execute(&self, py: Python<'_>, shared: &Shared, taken: Taken, noted: bool) -> PyResult<()> {
        let Some(call) = begin(shared, taken, noted) else { return Ok(()) };
        let call = Bound::new(py, call)?;
        set_current(Some(call.clone().unbind()));
        let called = unpanicked(|| self.call(py, call.get()));
        let ran = call.get().ran();
        if !shared.is_itself() {
            // A process that the task forked came back in its place, or the task has closed what is not its own.
            Shared::vanish();
        }
        if noted {
            shared.leave();
        }
        let how = match called {
            Ok(value) => self.returned(py, call.get(), &value),
            Err(error) => self.raised(py, &call, &with_traceback(py, &error)),
        };
        set_current(None);
        shared.end(call.get().tag(), ran, how);
        Ok(py.detach(|| shared.flush_if_due())?)
    }

    pub(super) fn entry(&self, call: &Call) -> PyResult<&Py<PyAny>> {
        let missing = || PyRuntimeError::new_err("the supervisor knows more tasks than this child");
        self.entries.get(call.task() as usize).ok_or_else(missing)
    }

    fn call<'py>(&self, py: Python<'py>, call: &Call) -> PyResult<Bound<'py, PyAny>> {
        let entry = self.entry(call)?.bind(py);
        let (args, kwargs) = arguments(py, call)?;
        match kwargs.cast::<PyDict>() {
            Ok(kwargs) => entry.call(args, Some(kwargs)),
            Err(_) => entry.call(args, None),
        }
    }

    /// A call that returned has succeeded if its value can be written.
    pub(super) fn returned(&self, py: Python<'_>, call: &Call, value: &Bound<'_, PyAny>) -> How {
        an_end(py, || self.try_returned(py, call, value))
    }

    fn try_returned(&self, py: Python<'_>, call: &Call, value: &Bound<'_, PyAny>) -> PyResult<How> {
        let mut written = Vec::new();
        match json::write(&mut written, value) {
            Ok(()) if written.len() > self.max_result => Ok(too_large(written.len(), self.max_result)),
            Ok(()) => Ok(How::Returned(written)),
            Err(error) => {
                let call = self.name(py, call)?;
                let error = crate::errors::not_serializable(error.describe(&format!("the result of {call}")));
                let how = self.judge.call1(py, (py.None(), error.value(py)))?;
                how_of(how.bind(py))
            }
        }
    }

    pub(super) fn raised(&self, py: Python<'_>, call: &Bound<'_, Call>, error: &Bound<'_, PyAny>) -> How {
        an_end(py, || how_of(self.judge.call1(py, (call, error))?.bind(py)))
    }

    fn name(&self, py: Python<'_>, call: &Call) -> PyResult<String> {
        let entry = self.entry(call)?.bind(py);
        let name = entry.getattr_opt("__name__")?;
        Ok(name.map_or_else(|| "the task".to_owned(), |name| name.to_string()))
    }
}

/// Every call ends: what goes wrong when its end is made out is its end.
fn an_end(py: Python<'_>, how: impl FnOnce() -> PyResult<How>) -> How {
    unpanicked(how).unwrap_or_else(|error| {
        let kind = error.get_type(py).name().map_or_else(|_| "Exception".to_owned(), |name| name.to_string());
        failed(kind, error.value(py).to_string())
    })
}

/// A panic as an exception of Python.
fn unpanicked<T>(run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(PyRuntimeError::new_err(format!("a fault of this package: {text}")))
    })
}

fn failed(kind: String, message: String) -> How {
    How::Failed(Failure { kind, message, details: String::new(), arguments: None, bad_arguments: false })
}

fn too_large(size: usize, most: usize) -> How {
    failed("ResultTooLarge".to_owned(), format!("the return value has {size} bytes, the limit is {most}"))
}

/// The exception, which knows where it was raised. Its class may refuse to have attributes set, but not this method.
fn with_traceback<'py>(py: Python<'py>, error: &PyErr) -> Bound<'py, PyAny> {
    let value = error.value(py).clone().into_any();
    if let Some(traceback) = error.traceback(py) {
        let base = py.get_type::<PyBaseException>();
        // One without its traceback is told all the same.
        let _ = base.call_method1("with_traceback", (&value, traceback));
    }
    value
}

/// The last moment before user code. None if it may not begin any more, which is said.
pub(super) fn begin(shared: &Shared, taken: Taken, noted: bool) -> Option<Call> {
    if !shared.may_start(taken.since) {
        shared.end(taken.tag, std::time::Duration::ZERO, How::NotStarted);
        // What cannot be said ends this process elsewhere.
        let _ = shared.flush_if_due();
        return None;
    }
    let call = Call::new(taken);
    if said_begin(shared, &call, noted).is_err() {
        Shared::vanish();
    }
    Some(call)
}

fn said_begin(shared: &Shared, call: &Call, noted: bool) -> io::Result<()> {
    if noted {
        shared.enter(call.tag())?;
    }
    if call.report() { shared.began(call.tag()) } else { Ok(()) }
}

/// The positional arguments and the named ones, or none of those.
pub(super) fn arguments<'py>(
    py: Python<'py>,
    call: &Call,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyAny>)> {
    let args = match &call.args()[..] {
        b"[]" => PyTuple::empty(py),
        args => json::read(py, args)?.cast_into::<PyList>()?.to_tuple(),
    };
    let kwargs = match &call.kwargs()[..] {
        b"{}" => py.None().into_bound(py),
        kwargs => json::read(py, kwargs)?,
    };
    Ok((args, kwargs))
}

/// What the judge answered: a tuple whose first part names the end.
fn how_of(answer: &Bound<'_, PyAny>) -> PyResult<How> {
    let answer = answer.cast::<PyTuple>()?;
    let kind: String = answer.get_item(0)?.extract()?;
    let failure = |from: usize| -> PyResult<Failure<String>> {
        Ok(Failure {
            kind: answer.get_item(from)?.extract()?,
            message: answer.get_item(from + 1)?.extract()?,
            details: answer.get_item(from + 2)?.extract()?,
            arguments: answer.get_item(from + 3)?.extract()?,
            bad_arguments: answer.get_item(from + 4)?.extract()?,
        })
    };
    Ok(match kind.as_str() {
        "failed" => How::Failed(failure(1)?),
        "retry" => How::Retry {
            after: answer.get_item(1)?.extract()?,
            failure: failure(2)?,
            arguments: answer.get_item(7)?.extract()?,
        },
        "ignored" => How::Ignored,
        "rejected" => {
            How::Rejected { requeue: answer.get_item(1)?.extract()?, why: answer.get_item(2)?.extract()? }
        }
        other => return Err(PyRuntimeError::new_err(format!("an end that is none: {other}"))),
    })
}
