//! From Python's arguments to a signature.

use std::time::Duration;

use bytes::Bytes;
use cardoon::{Priority, QueueName, Signature, SignatureOptions, TaskId, Timestamp, TypedSignature};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde_json::Value;

use crate::errors::not_serializable;
use crate::json;

/// The call of `task`. Options: `id`, `queue`, `priority`, `eta` and `expires` (seconds since 1970), `countdown`,
/// `expires_in`, `soft_time_limit`, `time_limit` (seconds), `ignore_result`, `root_id`, `parent_id`, `headers`.
pub(super) fn signature(
    task: &Bound<'_, PyString>,
    args: &Bound<'_, PyAny>,
    kwargs: &Bound<'_, PyAny>,
    options: Option<&Bound<'_, PyDict>>,
) -> PyResult<TypedSignature<Value>> {
    let task = task.to_str()?;
    let signature = Signature {
        task: task.to_owned(),
        args: written(task, "args", args)?,
        kwargs: written(task, "kwargs", kwargs)?,
        options: options.map_or_else(|| Ok(SignatureOptions::default()), sent)?,
    };
    let signature = TypedSignature::from(signature);
    let expires_in = options.map(|options| options.get_item("expires_in")).transpose()?.flatten();
    Ok(match expires_in {
        Some(secs) => signature.expires_in(span("expires_in", &secs)?),
        None => signature,
    })
}

pub(super) fn task_id(text: &str) -> PyResult<TaskId> {
    TaskId::new(text).map_err(|error| PyValueError::new_err(format!("this cannot be a task id: {error}")))
}

fn written(task: &str, name: &str, value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    let mut json = Vec::with_capacity(64);
    json::write(&mut json, value)
        .map_err(|error| not_serializable(format!("{task} cannot be sent: {}", error.describe(name))))?;
    Ok(json.into())
}

fn sent(options: &Bound<'_, PyDict>) -> PyResult<SignatureOptions> {
    let mut sent = SignatureOptions::default();
    for (name, value) in options.iter() {
        let name = name.cast::<PyString>()?.to_str()?;
        if value.is_none() {
            continue;
        }
        match name {
            "id" => sent.id = Some(task_id(&value.extract::<String>()?)?),
            "queue" => sent.queue = Some(queue(&value)?),
            "priority" => sent.priority = Some(priority(&value)?),
            "eta" => sent.eta = Some(time(name, &value)?),
            "countdown" => sent.countdown = Some(span(name, &value)?),
            "expires" => sent.expires = Some(time(name, &value)?),
            "soft_time_limit" => sent.soft_time_limit = Some(span(name, &value)?),
            "time_limit" => sent.time_limit = Some(span(name, &value)?),
            "ignore_result" => sent.ignore_result = Some(value.is_truthy()?),
            "root_id" => sent.root_id = Some(task_id(&value.extract::<String>()?)?),
            "parent_id" => sent.parent_id = Some(task_id(&value.extract::<String>()?)?),
            "headers" => sent.headers = headers(&value)?,
            "expires_in" => {}
            other => return Err(PyTypeError::new_err(format!("there is no option {other}"))),
        }
    }
    Ok(sent)
}

fn queue(value: &Bound<'_, PyAny>) -> PyResult<QueueName> {
    QueueName::new(value.extract::<String>()?)
        .map_err(|error| PyValueError::new_err(format!("this cannot be a queue's name: {error}")))
}

fn priority(value: &Bound<'_, PyAny>) -> PyResult<Priority> {
    let level: i64 = value.extract()?;
    match u8::try_from(level) {
        Ok(level @ 0..=9) => Ok(Priority::new(level)),
        _ => Err(PyValueError::new_err(format!(
            "priority is {level}; it goes from 0 to 9, and 9 is the most urgent"
        ))),
    }
}

fn span(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let secs: f64 = value.extract()?;
    Duration::try_from_secs_f64(secs.max(0.0))
        .map_err(|_| PyValueError::new_err(format!("{name} is {secs}, which is no length of time")))
}

fn time(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Timestamp> {
    let secs: f64 = value.extract()?;
    if secs.is_finite() && secs.abs() < 1e13 {
        return Ok(Timestamp((secs * 1000.0).ceil() as i64));
    }
    Err(PyValueError::new_err(format!("{name} is {secs}, which is no time")))
}

fn headers(value: &Bound<'_, PyAny>) -> PyResult<Bytes> {
    let mut json = Vec::new();
    json::write(&mut json, value.cast::<PyDict>()?.as_any())
        .map_err(|error| not_serializable(error.describe("headers")))?;
    Ok(json.into())
}
