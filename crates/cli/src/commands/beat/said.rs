//! A schedule as the application's own process tells it.

use serde::Deserialize;
use serde_json::Value;

/// The periodic tasks of an application.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(in crate::commands) struct Said {
    /// Of the clocks that crontabs are compared with.
    pub(super) timezone: Option<String>,
    pub(super) entries: Vec<SaidEntry>,
}

/// A periodic task. What cannot be read is told when somebody is to send it, and not to a worker.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidEntry {
    pub(super) name: String,
    /// Why the entry cannot be used; the rest is missing then.
    pub(super) problem: Option<String>,
    pub(super) task: String,
    pub(super) schedule: Value,
    /// JSON, as text, so that it is sent as the application's own senders would write it.
    pub(super) args: String,
    pub(super) kwargs: String,
    pub(super) options: SaidOptions,
}

/// How the task is sent. Times are in seconds, points in time since 1970.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(super) struct SaidOptions {
    pub(super) queue: Option<String>,
    pub(super) priority: Option<i64>,
    pub(super) countdown: Option<f64>,
    pub(super) eta: Option<f64>,
    pub(super) expires: Option<f64>,
    pub(super) expires_in: Option<f64>,
    pub(super) soft_time_limit: Option<f64>,
    pub(super) time_limit: Option<f64>,
    pub(super) ignore_result: Option<bool>,
    /// JSON, as text.
    pub(super) headers: Option<String>,
}
