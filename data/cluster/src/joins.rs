//! Joins one side of which goes to every task, or to one alone.

use std::fmt;
use std::sync::Arc;

use cardoon_engine::steps::{self, Replace, Step};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{JoinType, Statistics};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{Distribution, PhysicalExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, PartitionMode};
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
    rules.insert(
        sides.map_or(0, |place| place + 1),
        Arc::new(Replace { name: "settled_joins", instead: settled }),
    );
    rules.push(Arc::new(Replace { name: "undivided_joins", instead: undivided }));
    rules
}

/// A join with keys that says itself whether its left side is given to every task, so that Ballista need not guess. It measures that
/// side once more when the steps around the join are settled, and would then divide a join by its keys whose rows are not divided.
fn settled(step: &Step) -> Result<Option<Step>> {
    let Some(join) = step.downcast_ref::<HashJoinExec>() else { return Ok(None) };
    if *join.partition_mode() == PartitionMode::Partitioned && !join.null_aware {
        return Ok(None);
    }
    // One task carries out a join that asks whether there is any null.
    if !join.null_aware && !is_told_by_the_right(*join.join_type()) {
        return join.builder().with_partition_mode(PartitionMode::Partitioned).build_exec().map(Some);
    }
    let left = SideExec::over(join.left(), Side::Broadcast);
    let right =
        if join.null_aware { SideExec::over(join.right(), Side::Whole) } else { join.right().clone() };
    join.builder()
        .with_partition_mode(PartitionMode::CollectLeft)
        .with_new_children(vec![left, right])?
        .build_exec()
        .map(Some)
}

/// A join without keys that one task carries out, if it also gives rows of the left side alone: several would each give them. Also
/// where the right side is one partition so far, since Ballista may divide it later.
fn undivided(step: &Step) -> Result<Option<Step>> {
    let join = step.downcast_ref::<NestedLoopJoinExec>();
    let Some(join) = join.filter(|join| !is_told_by_the_right(*join.join_type())) else { return Ok(None) };
    let whole: Step = Arc::new(CoalescePartitionsExec::new(join.right().clone()));
    let sides = vec![join.left().clone(), SideExec::over(&whole, Side::Whole)];
    steps::over(step.clone(), sides).map(Some)
}

/// Whether each row of such a join comes from a row on the right. What comes from the left alone, every task would say again.
fn is_told_by_the_right(join: JoinType) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightMark, RightSemi};
    matches!(join, Inner | Right | RightSemi | RightAnti | RightMark)
}

/// Hands on the rows of one side of a join.
#[derive(Debug)]
pub(crate) struct SideExec {
    input: Arc<dyn ExecutionPlan>,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Every task is given all its rows.
    Broadcast,
    /// One task is given all its rows. Ballista plans parts of a plan once more, and would give several tasks a part each.
    Whole,
}

impl Side {
    /// What an executor is sent of such a step.
    pub(crate) fn sent(self) -> &'static [u8] {
        match self {
            Self::Broadcast => b"cardoon broadcast\0",
            Self::Whole => b"cardoon whole\0",
        }
    }

    /// The one of which this was sent.
    pub(crate) fn of(sent: &[u8]) -> Option<Self> {
        [Self::Broadcast, Self::Whole].into_iter().find(|side| side.sent() == sent)
    }
}

impl SideExec {
    pub(crate) fn over(input: &Arc<dyn ExecutionPlan>, side: Side) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { input: input.clone(), side })
    }

    pub(crate) fn side(&self) -> Side {
        self.side
    }
}

impl ExecutionPlan for SideExec {
    fn name(&self) -> &'static str {
        match self.side {
            Side::Broadcast => "BroadcastExec",
            Side::Whole => "WholeExec",
        }
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![match self.side {
            Side::Broadcast => Distribution::UnspecifiedDistribution,
            Side::Whole => Distribution::SinglePartition,
        }]
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

    fn with_new_children(
        self: Arc<Self>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { input: steps::only(inputs)?, side: self.side }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        self.input.execute(partition, context)
    }

    /// Of a side that every task is given what Ballista is to believe, whatever is below.
    fn statistics_from_inputs(&self, of: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let unknown = || Statistics::new_unknown(&self.schema());
        Ok(match (self.side, of) {
            (Side::Broadcast, _) => {
                Arc::new(Statistics { total_byte_size: Precision::Exact(BYTES), ..unknown() })
            }
            (Side::Whole, [of]) => of.clone(),
            (Side::Whole, _) => Arc::new(unknown()),
        })
    }
}

impl DisplayAs for SideExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
