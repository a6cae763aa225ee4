use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, Metric, MetricValue, MetricsSet,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use futures_util::{TryStreamExt as _, stream};

use super::partition::{Partition, internal};
use crate::steps;

/// A grouping by keys that have small numbers, for each partition of its input.
pub(super) struct DirectAggregateExec {
    /// The engine's own operator, which groups what has none.
    usual: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
    rests: Rests,
}

/// The operators that go on for partitions, whose metrics are this one's too.
pub(super) type Rests = Arc<Mutex<Vec<Arc<dyn ExecutionPlan>>>>;

impl DirectAggregateExec {
    pub(super) fn of(usual: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { usual, metrics: ExecutionPlanMetricsSet::new(), rests: Rests::default() })
    }

    pub(super) fn usual(&self) -> Result<&AggregateExec> {
        let usual = self.usual.downcast_ref::<AggregateExec>();
        usual.ok_or_else(|| internal("a grouping is none any more"))
    }
}

/// Rows are counted by the operator whose output they are.
fn is_of_spilling(metric: &Metric) -> bool {
    use MetricValue::{SpillCount, SpilledBytes, SpilledRows};
    matches!(metric.value(), SpillCount(_) | SpilledBytes(_) | SpilledRows(_))
}

impl ExecutionPlan for DirectAggregateExec {
    fn name(&self) -> &'static str {
        "DirectAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.usual.properties()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        self.usual.input_distribution_requirements()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.usual.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.usual.apply_expressions(visit)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::of(steps::over(self.usual.clone(), children)?))
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::of(self.usual.clone().reset_state()?))
    }

    fn statistics_from_inputs(
        &self,
        inputs: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        self.usual.statistics_from_inputs(inputs, args)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.usual.schema();
        let output = self.metrics.clone();
        let rows = BaselineMetrics::new(&output, partition);
        let own = BaselineMetrics::new(&self.metrics, partition);
        let partition = Partition::new(self.usual()?, partition, context, own, self.rests.clone())?;
        let batches = stream::once(partition.run())
            .try_flatten()
            .inspect_ok(move |batch| rows.output_rows().add(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut all = self.metrics.clone_inner();
        for rest in self.rests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let spills =
                rest.metrics().into_iter().flat_map(|metrics| metrics.iter().cloned().collect::<Vec<_>>());
            spills.filter(|metric| is_of_spilling(metric)).for_each(|metric| all.push(metric));
        }
        Some(all)
    }
}

impl fmt::Debug for DirectAggregateExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectAggregateExec").field("usual", &self.usual).finish_non_exhaustive()
    }
}

impl DisplayAs for DirectAggregateExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.usual.downcast_ref::<AggregateExec>() {
            Some(usual) => {
                f.write_str("Direct")?;
                usual.fmt_as(kind, f)
            }
            None => f.write_str("DirectAggregateExec"),
        }
    }
}
