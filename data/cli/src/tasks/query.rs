use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use cardoon::prelude::*;
use cardoon_engine::{Engine, Fence, Output, Settings};
use cardoon_errors::{Error, Kind};
use cardoon_frame::Frame;

use crate::commands::Place;

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

/// Answers a query with a file, and returns the number of its rows. The file appears when it is whole; a run that was
/// overtaken by another one does not replace what that one has written.
#[cardoon::task(name = "cardoon.data.sql")]
pub(crate) async fn sql(ctx: &TaskContext, query: String, out: PathBuf) -> Result<u64, TaskError> {
    let limits =
        ctx.state::<Limits>().ok_or_else(|| TaskError::fatal("NoLimits", "the worker has no limits"))?;
    let engine = limits.engine().await.map_err(|error| failed(&error))?;
    let mut output = Output::named(out).map_err(|error| failed(&error))?;
    output.fence = Some(Fence { task: ctx.id().to_string(), run: ctx.run().0 });
    let frame = Frame::sql(query);
    tokio::select! {
        written = engine.write(&frame, &output) => Ok(written.map_err(|error| failed(&error))?.rows),
        never = tell(ctx, &engine) => match never {},
        reason = ctx.cancelled() => Err(TaskError::new("Cancelled", format!("the task was told to stop: {reason:?}"))),
    }
}

/// Tells how far the query is, for ever.
async fn tell(ctx: &TaskContext, engine: &Engine) -> Infallible {
    let mut steps = tokio::time::interval(STEP);
    loop {
        steps.tick().await;
        let progress = engine.progress();
        ctx.progress(progress.bytes, progress.all_bytes, format!("{} rows", progress.rows));
    }
}

/// What is wrong with the query or its files stays wrong; a file that cannot be read now may be there later.
fn failed(error: &Error) -> TaskError {
    let said = format!("{error}");
    match error.kind() {
        Kind::Unavailable | Kind::Timeout | Kind::Conflict => TaskError::new(error.code().to_string(), said),
        _ => TaskError::fatal(error.code().to_string(), said),
    }
}
