//! Tasks for drills, benchmarks and first steps, as `cardoon worker --builtin` offers them.
//!
//! | name | what it does |
//! |---|---|
//! | `cardoon.noop` | nothing |
//! | `cardoon.echo` | returns its argument |
//! | `cardoon.add` | adds two whole numbers |
//! | `cardoon.sleep` | waits for some seconds, and stops early when it is told to |
//! | `cardoon.block` | holds a thread for some seconds, and does not hear that it should stop |
//! | `cardoon.fail` | fails with a message, and with a kind if one is given |

use std::time::Duration;

use cardoon_runtime::Clock;
use cardoon_worker::{CancelReason, TaskContext, TaskDefinition, TaskError, TaskOptions};
use serde_json::Value;

use crate::task::definition_over;

/// The definitions of all built-in tasks.
pub fn all() -> Vec<TaskDefinition> {
    all_over(&TaskOptions::default())
}

/// The definitions of all built-in tasks, with `defaults` for what they leave open.
pub(crate) fn all_over(defaults: &TaskOptions) -> Vec<TaskDefinition> {
    vec![
        definition_over::<noop>(defaults),
        definition_over::<echo>(defaults),
        definition_over::<add>(defaults),
        definition_over::<sleep>(defaults),
        definition_over::<block>(defaults),
        definition_over::<fail>(defaults),
    ]
}

/// Does nothing.
#[cardoon::task(name = "cardoon.noop")]
pub async fn noop() {}

/// Returns its argument.
#[cardoon::task(name = "cardoon.echo")]
pub async fn echo(value: Value) -> Value {
    value
}

/// Adds two whole numbers.
#[cardoon::task(name = "cardoon.add")]
pub async fn add(x: i64, y: i64) -> Result<i64, TaskError> {
    x.checked_add(y).ok_or_else(|| TaskError::fatal("Overflow", format!("{x} + {y} is too large")))
}

/// Waits for some seconds, or until it is told to stop.
#[cardoon::task(name = "cardoon.sleep")]
pub async fn sleep(ctx: &TaskContext, seconds: f64) -> Result<(), TaskError> {
    let duration = duration(seconds)?;
    let clock = Clock::real();
    tokio::select! {
        () = clock.sleep(duration) => Ok(()),
        reason = ctx.cancelled() => Err(stopped(reason)),
    }
}

/// Holds a thread for some seconds, whatever it is told: for drills of time limits.
#[cardoon::task(name = "cardoon.block")]
pub fn block(seconds: f64) -> Result<(), TaskError> {
    let (_nobody_calls, call) = std::sync::mpsc::channel::<()>();
    let _ = call.recv_timeout(duration(seconds)?);
    Ok(())
}

/// Fails with `message`; `kind` is what retry lists name, `Failed` by default.
#[cardoon::task(name = "cardoon.fail")]
pub async fn fail(message: String, kind: Option<String>) -> Result<(), TaskError> {
    Err(TaskError::new(kind.unwrap_or_else(|| "Failed".into()), message))
}

fn duration(seconds: f64) -> Result<Duration, TaskError> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| TaskError::bad_arguments(format!("`seconds` is {seconds}: {error}")))
}

fn stopped(reason: CancelReason) -> TaskError {
    match reason {
        CancelReason::SoftTimeLimit => TaskError::soft_time_limit(),
        reason => TaskError::new("Cancelled", format!("the task was told to stop: {reason:?}")),
    }
}
