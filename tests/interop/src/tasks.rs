//! The tasks of `python/interop_app.py`, as a user of ours writes them.

use std::time::Duration;

use cardoon::prelude::*;
use cardoon::{TaskError, WorkerBuilder};
use cardoon_drills::Witness;
use cardoon_runtime::Clock;
use serde_json::Value;

/// `careless` plants a bug: the slow task is acknowledged before it runs.
pub(crate) fn register(worker: WorkerBuilder, careless: bool) -> WorkerBuilder {
    let worker = worker.task::<add>().task::<echo>().task::<noop>().task::<silent>();
    let worker = worker.task::<fail>().task::<flaky>();
    if careless { worker.task::<careless_slow>() } else { worker.task::<slow>() }
}

#[cardoon::task(name = "interop.add")]
async fn add(ctx: &TaskContext, witness: State<Witness>, x: i64, y: i64) -> Result<i64, TaskError> {
    testified(ctx, &witness, x + y)
}

#[cardoon::task(name = "interop.echo")]
async fn echo(ctx: &TaskContext, witness: State<Witness>, value: Value) -> Result<Value, TaskError> {
    testified(ctx, &witness, value)
}

#[cardoon::task(name = "interop.noop")]
async fn noop(ctx: &TaskContext, witness: State<Witness>) -> Result<(), TaskError> {
    testified(ctx, &witness, ())
}

#[cardoon::task(name = "interop.silent", ignore_result)]
async fn silent(ctx: &TaskContext, witness: State<Witness>) -> Result<(), TaskError> {
    testified(ctx, &witness, ())
}

#[cardoon::task(name = "interop.fail", retries = 0)]
async fn fail(ctx: &TaskContext, witness: State<Witness>, message: String) -> Result<(), TaskError> {
    witness.started(ctx.id(), ctx.run())?;
    Err(TaskError::new("ValueError", message))
}

#[cardoon::task(name = "interop.slow")]
async fn slow(ctx: &TaskContext, witness: State<Witness>, seconds: f64) -> Result<(), TaskError> {
    witness.started(ctx.id(), ctx.run())?;
    Clock::real().sleep(Duration::try_from_secs_f64(seconds)?).await;
    Ok(witness.ended(ctx.id(), ctx.run())?)
}

#[cardoon::task(name = "interop.slow", ack = "early")]
async fn careless_slow(ctx: &TaskContext, witness: State<Witness>, seconds: f64) -> Result<(), TaskError> {
    slow(ctx, witness, seconds).await
}

#[cardoon::task(name = "interop.flaky", retry_delay = "200ms", retry_jitter = false)]
async fn flaky(ctx: &TaskContext, witness: State<Witness>, failures: u32) -> Result<u32, TaskError> {
    if ctx.attempt() < failures {
        witness.started(ctx.id(), ctx.run())?;
        return Err(TaskError::new("RuntimeError", "not yet"));
    }
    testified(ctx, &witness, ctx.attempt())
}

fn testified<T>(ctx: &TaskContext, witness: &Witness, value: T) -> Result<T, TaskError> {
    witness.started(ctx.id(), ctx.run())?;
    witness.ended(ctx.id(), ctx.run())?;
    Ok(value)
}
