//! Asynchronous tasks, on the program's own runtime.

use std::panic::AssertUnwindSafe;

use cardoon_errors::Result;
use futures_util::FutureExt;

use super::run::{Run, outcome};
use crate::definition::AsyncHandler;
use crate::engine::Outcome;

pub(super) async fn execute(mut run: Run, handler: AsyncHandler) -> Result<()> {
    if !run.begin() {
        run.end(Outcome::NotStarted);
        return Ok(());
    }
    let (context, arguments) = (run.context.clone(), run.start.call.arguments.clone());
    let call = AssertUnwindSafe(async move { handler(context, arguments).await }).catch_unwind();
    let ended = tokio::select! {
        biased;
        () = run.context.aborted() => Outcome::Aborted,
        called = call => outcome(called),
    };
    run.end(ended);
    Ok(())
}
