//! Running a plan elsewhere. The engine plans and tries again; who carries plans out stands behind this interface.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use crate::Watch;
use crate::tables;

/// Executors that carry out plans.
#[async_trait]
pub trait Cluster: Debug + Send + Sync {
    /// Threads of all executors that are there now, 1 or more.
    async fn threads(&self) -> Result<usize, DataFusionError>;

    /// What the planner must know about the cluster.
    fn prepare(&self, session: SessionStateBuilder) -> SessionStateBuilder;

    /// Carries out `plan`. The rows must all have arrived before the first one is given out, since what is fetched from
    /// an executor may be lost with it; an error of [`lost`] lets the engine try again. `watch` is told how far it is.
    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        watch: &Arc<Watch>,
    ) -> Result<SendableRecordBatchStream, DataFusionError>;
}

/// The smaller side of a join is given to every thread if it has no more bytes than so many: then the larger side need not
/// be divided by its keys.
pub const SHARED_BYTES: usize = 64 << 20;

/// What an executor's metrics call the rows of CSV files that it has read.
pub const ROWS_READ: &str = "csv_rows";
/// The same of bytes.
pub const BYTES_READ: &str = "csv_bytes";
/// The same of rows that it has left out.
pub const BAD_ROWS: &str = "csv_bad_rows";

/// A step of a plan for an executor; nothing if it is one that DataFusion itself can encode.
pub fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>, DataFusionError> {
    tables::encode(plan)
}

/// The step that [`encode`] has encoded.
pub fn decode(sent: &[u8]) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    tables::decode(sent)
}
