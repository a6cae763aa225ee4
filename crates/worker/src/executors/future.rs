//! Asynchronous tasks, on the program's own runtime.

use std::panic::AssertUnwindSafe;

use cardoon_errors::Result;
use cardoon_runtime::{ServiceKind, Supervisor};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::Instrument;

use super::run::{Run, outcome};
use crate::definition::AsyncHandler;
use crate::engine::Outcome;

type Batch = Vec<(Run, AsyncHandler)>;

/// Hands runs to the program's runtime, a batch at a time.
pub(super) struct Futures {
    batch: Batch,
    launches: mpsc::UnboundedSender<Batch>,
}

impl Futures {
    pub(super) fn new(runs: Supervisor, home: &Handle) -> Self {
        let (launches, batches) = mpsc::unbounded_channel();
        let _home = home.enter();
        runs.clone().spawn(ServiceKind::TaskRun, launch(runs, batches));
        Self { batch: Vec::new(), launches }
    }

    pub(super) fn add(&mut self, run: Run, handler: AsyncHandler) {
        self.batch.push((run, handler));
    }

    /// A runtime that is gone drops the runs, which tells the engine that they have not begun.
    pub(super) fn flush(&mut self) {
        if !self.batch.is_empty() {
            let _ = self.launches.send(std::mem::take(&mut self.batch));
        }
    }
}

/// Lives on the program's runtime, where a spawn wakes no other thread.
async fn launch(runs: Supervisor, mut batches: mpsc::UnboundedReceiver<Batch>) -> Result<()> {
    while let Some(batch) = batches.recv().await {
        for (run, handler) in batch {
            let span = run.span();
            runs.spawn(ServiceKind::TaskRun, execute(run, handler).instrument(span));
        }
    }
    Ok(())
}

async fn execute(mut run: Run, handler: AsyncHandler) -> Result<()> {
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
