//! Running a plan elsewhere. The engine plans and tries again; who carries plans out stands behind this interface.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use crate::errors::{self, IntoEngine as _};
use crate::{Watch, python, tables};

/// Executors that carry out plans.
#[async_trait]
pub trait Cluster: Debug + Send + Sync {
    /// Threads of all executors that are there now, 1 or more.
    async fn threads(&self) -> Result<usize, DataFusionError>;

    /// What the planner must know about the cluster. With `little_memory` a query begins again that had too little of it.
    fn prepare(&self, session: SessionStateBuilder, little_memory: bool) -> SessionStateBuilder;

    /// Carries out `plan`. The rows must all have arrived before the first one is given out, since what is fetched from
    /// an executor may be lost with it; an error of [`lost`] lets the engine try again. Those that are too many for the memory
    /// wait in `spill_folder`, or in the system's folder for temporary files. `watch` is told how far it is.
    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        spill_folder: Option<&Path>,
        watch: &Arc<Watch>,
    ) -> Result<SendableRecordBatchStream, DataFusionError>;
}

/// What an executor's metrics call the rows of CSV files that it has read.
pub const ROWS_READ: &str = "csv_rows";
/// The same of bytes.
pub const BYTES_READ: &str = "csv_bytes";
/// The same of rows that it has left out.
pub const BAD_ROWS: &str = "csv_bad_rows";

/// What the steps begin with that we encode.
const FILES: u8 = b'f';
const FUNCTION: u8 = b'p';
const PLACES: u8 = b'n';

/// A step of a plan for an executor; nothing if it is one that DataFusion itself can encode.
pub fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>, DataFusionError> {
    let marked = |mark: u8, step: Vec<u8>| [&[mark], step.as_slice()].concat();
    if let Some(files) = tables::encode(plan)? {
        return Ok(Some(marked(FILES, files)));
    }
    if let Some(function) = python::encode_function(plan)? {
        return Ok(Some(marked(FUNCTION, function)));
    }
    Ok(python::encode_places(plan)?.map(|places| marked(PLACES, places)))
}

/// The step that [`encode`] has encoded, over the steps `inputs`.
pub fn decode(
    sent: &[u8],
    inputs: &[Arc<dyn ExecutionPlan>],
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    match (sent, inputs) {
        ([FILES, files @ ..], []) => tables::decode(files),
        ([FUNCTION, function @ ..], [input]) => python::decode_function(function, input.clone()),
        ([PLACES, places @ ..], [input]) => python::decode_places(places, input.clone()),
        _ => Err(errors::internal("a step of a plan cannot be read").into_engine()),
    }
}
