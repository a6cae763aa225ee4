use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cardoon_admin::RevokedAs;
use cardoon_admin::failure::ErrorBody;
use cardoon_admin::why::Reason;
use cardoon_broker::Order;
use cardoon_core::TaskId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::{JSON, json_bytes};

/// An answer in JSON.
pub(crate) struct Given<T>(pub(crate) StatusCode, pub(crate) T);

impl<T> Given<T> {
    pub(crate) fn ok(value: T) -> Self {
        Self(StatusCode::OK, value)
    }
}

impl<T: Serialize> IntoResponse for Given<T> {
    fn into_response(self) -> Response {
        (
            self.0,
            [(header::CONTENT_TYPE, JSON), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))],
            json_bytes(&self.1),
        )
            .into_response()
    }
}

impl Given<Sent> {
    /// The answer to a request that sends a task.
    pub(crate) fn sent(id: &TaskId, repeated: bool) -> Self {
        let status = if repeated { StatusCode::OK } else { StatusCode::CREATED };
        Self(status, Sent { id: id.to_string(), repeated })
    }
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Where the list goes on: give it as `after`. A page may have few items, or none, although the list goes on.
    pub(crate) next: Option<String>,
    /// There are further items; where there is a `next`, there may be. A list without one shows them with a larger `limit`, or by
    /// other filters.
    pub(crate) more: bool,
}

impl<T> Page<T> {
    /// All that there is.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None, more: false }
    }

    /// A part of a list that goes on at `next`.
    pub(crate) fn part(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, more: next.is_some(), next }
    }

    /// The first `limit` of items, of which one more was asked for to see whether there are more.
    pub(crate) fn first(mut items: Vec<T>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        Self { items, next: None, more }
    }
}

/// A task that was sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sent {
    pub(crate) id: String,
    /// The idempotency key was used before, for the same request: nothing was added.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) repeated: bool,
}

/// What became of each task of a batch, in their order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    pub(crate) sent: usize,
    pub(crate) failed: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) repeated: bool,
    pub(crate) results: Vec<SentItem>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentItem {
    pub(crate) id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorBody>,
}

/// Why a task has not run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhyAnswer {
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) reason: Reason,
    /// For people.
    pub(crate) sentence: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Revoked {
    pub(crate) results: Vec<RevokedTask>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RevokedTask {
    pub(crate) id: String,
    /// What it did when it was revoked.
    pub(crate) revoked: Option<RevokedAs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorBody>,
}

/// Whether a queue is paused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueAnswer {
    pub(crate) queue: String,
    pub(crate) paused: bool,
    /// Whether it was otherwise before.
    pub(crate) changed: bool,
    /// Workers of another system may take from the queue all the same.
    pub(crate) strangers: bool,
}

/// How many it was about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Counted {
    pub(crate) count: u64,
    /// Nothing was done.
    pub(crate) dry_run: bool,
}

/// The workers that were given an order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    pub(crate) told: Vec<WorkerAnswer>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WorkerAnswer {
    pub(crate) worker: String,
    pub(crate) session: u64,
    pub(crate) pid: u32,
    #[schema(value_type = String, example = "drain")]
    pub(crate) order: Order,
}
