//! The headers of a message: what is written, and the part that is read.

use std::time::Duration;

use cardoon_core::{Signature, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{python_repr, wire_time};

/// What a message says of itself. A header of such a name in [`SignatureOptions::headers`] is not sent, or keeps workers from
/// reading the message (`compression`).
///
/// [`SignatureOptions::headers`]: cardoon_core::SignatureOptions::headers
pub const RESERVED_HEADERS: [&str; 20] = [
    "lang",
    "task",
    "id",
    "shadow",
    "eta",
    "expires",
    "group",
    "group_index",
    "retries",
    "timelimit",
    "root_id",
    "parent_id",
    "argsrepr",
    "kwargsrepr",
    "origin",
    "ignore_result",
    "replaced_task_nesting",
    "stamped_headers",
    "stamps",
    "compression",
];

/// All headers of protocol 2, in Celery's order; Celery's own workers look for some of them even when empty.
#[derive(Serialize)]
pub(crate) struct Written<'a> {
    lang: &'static str,
    task: &'a str,
    id: &'a str,
    shadow: (),
    eta: Option<String>,
    expires: Option<String>,
    group: (),
    group_index: (),
    retries: u32,
    /// Seconds, the hard limit first.
    timelimit: [Option<f64>; 2],
    root_id: &'a str,
    parent_id: Option<&'a str>,
    argsrepr: String,
    kwargsrepr: String,
    origin: &'a str,
    ignore_result: bool,
    replaced_task_nesting: u32,
    stamped_headers: (),
    stamps: Empty,
}

#[derive(Serialize)]
struct Empty {}

impl<'a> Written<'a> {
    /// Fails if the arguments are no JSON array and no JSON object.
    pub(crate) fn of(signature: &'a Signature, id: &'a TaskId, origin: &'a str) -> serde_json::Result<Self> {
        let options = &signature.options;
        let secs = |limit: Option<Duration>| limit.map(|limit| limit.as_secs_f64());
        Ok(Self {
            lang: "rust",
            task: &signature.task,
            id: id.as_str(),
            shadow: (),
            eta: options.eta.and_then(wire_time::write),
            expires: options.expires.and_then(wire_time::write),
            group: (),
            group_index: (),
            retries: 0,
            timelimit: [secs(options.time_limit), secs(options.soft_time_limit)],
            root_id: options.root_id.as_ref().unwrap_or(id).as_str(),
            parent_id: options.parent_id.as_ref().map(TaskId::as_str),
            argsrepr: python_repr::tuple(&signature.args)?,
            kwargsrepr: python_repr::dict(&signature.kwargs)?,
            origin,
            ignore_result: options.ignore_result.unwrap_or(false),
            replaced_task_nesting: 0,
            stamped_headers: (),
            stamps: Empty {},
        })
    }
}

/// The headers that a worker acts on. Older producers leave some out.
#[derive(Deserialize)]
pub(crate) struct Read {
    pub(crate) task: Option<String>,
    pub(crate) eta: Option<String>,
    pub(crate) expires: Option<String>,
    pub(crate) timelimit: Option<[Option<f64>; 2]>,
    pub(crate) root_id: Option<String>,
    pub(crate) parent_id: Option<String>,
    pub(crate) ignore_result: Option<bool>,
    pub(crate) compression: Option<String>,
    pub(crate) traceparent: Option<Value>,
    pub(crate) tracestate: Option<Value>,
    pub(crate) baggage: Option<Value>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cardoon_core::SignatureOptions;

    use super::*;

    #[test]
    fn what_is_written_is_reserved() {
        let options = SignatureOptions::default();
        let call = Signature { task: "t".into(), args: "[]".into(), kwargs: "{}".into(), options };
        let id = TaskId::new("t-1").unwrap();
        let written = serde_json::to_value(Written::of(&call, &id, "test").unwrap()).unwrap();
        let names = written.as_object().unwrap().keys().map(String::as_str).chain(["compression"]);
        assert_eq!(names.collect::<BTreeSet<_>>(), RESERVED_HEADERS.into());
    }
}
