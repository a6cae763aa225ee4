use std::sync::Arc;

use ballista_core::JobId;
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use super::pulse::Pulse;
use super::running::Running;

/// Ballista's way to carry out a stage, with our operators in place of some of its own. They need not travel: they give
/// the same rows.
pub(super) struct Stages {
    usual: DefaultExecutionEngine,
    pulse: Pulse,
    running: Running,
}

impl Stages {
    pub(super) fn new(pulse: Pulse, running: Running) -> Self {
        Self { usual: DefaultExecutionEngine::new(), pulse, running }
    }
}

impl ExecutionEngine for Stages {
    fn create_query_stage_exec(
        &self,
        job: JobId,
        stage: usize,
        task: usize,
        partitions: Vec<usize>,
        plan: Arc<dyn ExecutionPlan>,
        folder: &str,
        config: &SessionConfig,
    ) -> Result<Arc<dyn QueryStageExecutor>> {
        self.pulse.quicken();
        let plan = cardoon_engine::improved(plan, config)?;
        let work =
            self.usual.create_query_stage_exec(job.clone(), stage, task, partitions, plan, folder, config)?;
        self.running.add(job.as_ref(), stage, task, &work);
        Ok(work)
    }
}
