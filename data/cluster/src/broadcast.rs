//! Joins whose smaller side every task is given whole.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _, TreeNodeRecursion};
use datafusion::common::{JoinType, Statistics};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, SendableRecordBatchStream,
};

/// Bytes that Ballista believes a side to have which is given to every task.
const BYTES: usize = 1;

/// What Ballista takes for small: of all sides only those that we have chosen.
pub(crate) const SMALL: usize = BYTES + 1;

/// The engine's rules for plans, with the choice of sides.
pub(crate) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let sides = rules.iter().position(|rule| rule.name() == "join_selection");
    // What follows divides the rows as the joins need them.
    rules.insert(sides.map_or(0, |place| place + 1), Arc::new(Broadcasts));
    rules
}

/// Says of each join whether its left side is given to every task, so that Ballista need not guess. It measures that side once more
/// when the steps around the join are settled, and would then divide a join by its keys whose rows are not divided.
#[derive(Debug)]
struct Broadcasts;

impl PhysicalOptimizerRule for Broadcasts {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|step| {
            let settled = match step.downcast_ref::<HashJoinExec>() {
                Some(join) => settled(join)?,
                None => None,
            };
            Ok(settled.map_or_else(|| Transformed::no(step), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "broadcasts"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The join in the way in which it is carried out, if it is another one.
fn settled(join: &HashJoinExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if *join.partition_mode() == PartitionMode::Partitioned && !join.null_aware {
        return Ok(None);
    }
    // Ballista has one task carry out a join that asks whether there is any null.
    if !join.null_aware && !is_told_by_the_right(*join.join_type()) {
        return join.builder().with_partition_mode(PartitionMode::Partitioned).build_exec().map(Some);
    }
    let left: Arc<dyn ExecutionPlan> = Arc::new(BroadcastExec::new(join.left().clone()));
    join.builder()
        .with_partition_mode(PartitionMode::CollectLeft)
        .with_new_children(vec![left, join.right().clone()])?
        .build_exec()
        .map(Some)
}

/// Whether each row of such a join comes from a row on the right. What comes from the left alone, every task would say again.
fn is_told_by_the_right(join: JoinType) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
    matches!(join, Inner | Right | RightSemi | RightAnti | RightMark)
}

/// Hands on the rows that every task is given.
#[derive(Debug)]
pub(crate) struct BroadcastExec(Arc<dyn ExecutionPlan>);

impl BroadcastExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        Self(input)
    }
}

impl ExecutionPlan for BroadcastExec {
    fn name(&self) -> &'static str {
        "BroadcastExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.0.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.0]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("a step has one input".into()))?;
        Ok(Arc::new(Self(input)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.0.execute(partition, context)
    }

    /// What Ballista is to believe, whatever is below.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let unknown = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(Statistics { total_byte_size: Precision::Exact(BYTES), ..unknown }))
    }
}

impl DisplayAs for BroadcastExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
