use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use ballista_core::JobId;
use ballista_core::serde::protobuf::{
    RuntimeStatsReport, ShuffleWritePartition, TaskColumnStats, WindowStateReport,
};
use ballista_executor::execution_engine::{DefaultExecutionEngine, ExecutionEngine, QueryStageExecutor};
use cardoon_engine::Interest;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
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
        let (plan, interest) = cardoon_engine::while_wanted(plan)?;
        let usual =
            self.usual.create_query_stage_exec(job.clone(), stage, task, partitions, plan, folder, config)?;
        let work: Arc<dyn QueryStageExecutor> =
            Arc::new(Stage { usual, interest: Mutex::new(Some(interest)) });
        self.running.add(job.as_ref(), stage, task, &work);
        Ok(work)
    }
}

/// A stage whose functions end when it is cancelled. Ballista's own writer goes on reading in a task that nobody ends.
#[derive(Debug)]
struct Stage {
    usual: Arc<dyn QueryStageExecutor>,
    interest: Mutex<Option<Interest>>,
}

#[async_trait]
impl QueryStageExecutor for Stage {
    async fn execute_query_stage(
        &self,
        task: usize,
        context: Arc<TaskContext>,
    ) -> Result<Vec<ShuffleWritePartition>> {
        let _interest = self.interest.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.usual.execute_query_stage(task, context).await
    }

    fn collect_plan_metrics(&self) -> Vec<MetricsSet> {
        self.usual.collect_plan_metrics()
    }

    fn collect_runtime_stats_reports(&self) -> Vec<RuntimeStatsReport> {
        self.usual.collect_runtime_stats_reports()
    }

    fn collect_window_state_reports(&self) -> Result<Vec<WindowStateReport>> {
        self.usual.collect_window_state_reports()
    }

    fn collect_column_stats(&self) -> Vec<TaskColumnStats> {
        self.usual.collect_column_stats()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.usual.fmt(f)
    }
}
