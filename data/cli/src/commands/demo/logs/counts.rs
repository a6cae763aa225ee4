use std::path::Path;

use cardoon_engine::Engine;
use cardoon_errors::{Code, Error, Result};
use cardoon_frame::{Frame, col, count_rows};
use datafusion::arrow::array::{AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;

/// How often each user did something, in the order of the users.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Counts(Vec<(i64, i64)>);

/// The tutorial's query: `dd.read_csv("logs/*.csv").groupby("user_id").size()`.
pub(super) async fn per_user(engine: &Engine, folder: &Path) -> Result<Counts> {
    let logs = Frame::scan(folder.join("*.csv").display().to_string());
    let frame =
        logs.group_by(["user_id"]).aggregate([("actions", count_rows())]).sort([col("user_id").ascending()]);
    let (_, batches) = engine.collect(&frame).await?;
    let mut counts = Vec::new();
    for batch in &batches {
        counts.extend(rows(batch)?);
    }
    Ok(Counts(counts))
}

fn rows(batch: &RecordBatch) -> Result<Vec<(i64, i64)>> {
    let column = |index: usize| {
        let values = batch.column(index).as_primitive_opt::<Int64Type>();
        values.ok_or_else(|| Error::new(Code::QueryFailed, "the counts are no whole numbers"))
    };
    Ok(column(0)?.values().iter().copied().zip(column(1)?.values().iter().copied()).collect())
}

impl Counts {
    pub(super) fn users(&self) -> usize {
        self.0.len()
    }

    pub(super) fn actions(&self) -> i64 {
        self.0.iter().map(|(_, actions)| actions).sum()
    }
}
