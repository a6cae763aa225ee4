use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cardoon::prelude::*;
use cardoon_engine::{Engine, Fence, Output, Progress, Settings, Summary};
use cardoon_errors::{Error, Kind, Language, described};
use cardoon_frame::Frame;
use cardoon_runtime::Clock;
use serde::{Deserialize, Serialize};

use crate::beside::beside;
use crate::commands::Place;
use crate::progress;

/// How often a task tells how far it is.
const STEP: Duration = Duration::from_millis(500);

/// What one query of a worker may use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) settings: Settings,
    pub(crate) place: Place,
}

impl Limits {
    pub(crate) async fn engine(&self) -> Result<Engine, Error> {
        self.place.engine(self.settings.clone()).await
    }
}

/// What a query has written, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Rows of the answer.
    rows: u64,
    rows_read: u64,
    bytes_read: u64,
    bad_rows: u64,
    spilled_bytes: u64,
    restarts: u64,
    retries: u64,
    seconds: f64,
}

/// Answers a query with a file, and returns how many rows it has and what it took. The file appears when it is whole; a
/// run that was overtaken by another one does not replace what that one has written.
#[cardoon::task(name = "cardoon.data.sql")]
pub(crate) async fn sql(ctx: &TaskContext, query: String, out: PathBuf) -> Result<Written, TaskError> {
    let limits =
        ctx.state::<Limits>().ok_or_else(|| TaskError::fatal("NoLimits", "the worker has no limits"))?;
    let engine = Arc::new(limits.engine().await.map_err(|error| failed(&error))?);
    let mut output = Output::named(out).map_err(|error| failed(&error))?;
    output.fence = Some(Fence { task: ctx.id().to_string(), run: ctx.run().0 });
    let (frame, writing) = (Frame::sql(query), engine.clone());
    let writing = beside(async move || writing.write(&frame, &output).await);
    let clock = Clock::real();
    let begin = clock.boot();
    let so_far = || clock.boot().since(begin);
    tokio::select! {
        written = writing => {
            let Summary { rows, .. } = written.map_err(|error| failed(&error))?;
            Ok(Written::new(rows, &engine.progress(), so_far()))
        }
        never = tell(ctx, &engine, so_far) => match never {},
        reason = ctx.cancelled() => Err(TaskError::new("Cancelled", format!("the task was told to stop: {reason:?}"))),
    }
}

impl Written {
    fn new(rows: u64, progress: &Progress, took: Duration) -> Self {
        Self {
            rows,
            rows_read: progress.rows,
            bytes_read: progress.bytes,
            bad_rows: progress.bad_rows,
            spilled_bytes: progress.spilled_bytes,
            restarts: progress.restarts,
            retries: progress.retries,
            seconds: took.as_secs_f64(),
        }
    }
}

/// Tells how far the query is, for ever.
async fn tell(ctx: &TaskContext, engine: &Engine, so_far: impl Fn() -> Duration) -> Infallible {
    let mut steps = tokio::time::interval(STEP);
    loop {
        steps.tick().await;
        let progress = engine.progress();
        let text = progress::stages(&progress, so_far());
        ctx.progress(progress.bytes, progress.all_bytes, text);
    }
}

/// What is wrong with the query or its files stays wrong; a file that cannot be read now may be there later.
fn failed(error: &Error) -> TaskError {
    let said = format!("{error}");
    let mut failed = match error.kind() {
        Kind::Unavailable | Kind::Timeout | Kind::Conflict => TaskError::new(error.code().to_string(), said),
        _ => TaskError::fatal(error.code().to_string(), said),
    };
    failed.failure.details = described(error, Language::English, "error");
    failed
}
