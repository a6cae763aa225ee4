//! Joins whose held side goes to every executor.

use std::sync::Arc;

use datafusion::common::JoinType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult as _, TreeNode as _};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};

/// Has joins divided by their keys that must not be carried out once for each part of one side: those that give out rows of the
/// side that is held. The scheduler would divide them too, but after the steps above have been planned for fewer parts,
/// and these would then answer once for each part.
#[derive(Debug)]
struct DivideOthers;

/// The engine's rules for plans, and this one where joins have been chosen and distribution has not.
pub(crate) fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    let chosen = rules.iter().position(|rule| rule.name() == "join_selection");
    rules.insert(chosen.map_or(0, |place| place + 1), Arc::new(DivideOthers));
    rules
}

impl PhysicalOptimizerRule for DivideOthers {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|step| match step.downcast_ref::<HashJoinExec>() {
            Some(join) if is_to_be_divided(join) => {
                let divided = join.builder().with_partition_mode(PartitionMode::Partitioned);
                Ok(Transformed::yes(divided.build_exec()?))
            }
            _ => Ok(Transformed::no(step)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "divide_others"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A join that looks for what is missing, nulls included, is one task in any case.
fn is_to_be_divided(join: &HashJoinExec) -> bool {
    use JoinType::{Inner, Right, RightAnti, RightSemi};
    *join.partition_mode() == PartitionMode::CollectLeft
        && !join.null_aware
        && !matches!(join.join_type(), Inner | Right | RightSemi | RightAnti)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_are_looked_at_between_their_choice_and_distribution() {
        let names: Vec<_> = rules().iter().map(|rule| rule.name().to_owned()).collect();
        let place = |name: &str| names.iter().position(|other| other == name);
        assert_eq!(place("join_selection").map(|place| place + 1), place("divide_others"), "{names:?}");
        assert!(place("divide_others") < place("EnsureRequirements"), "{names:?}");
    }
}
