//! Joins in which a null equals a null (`is not distinct from`) beside joins in which it does not.
//!
//! The engine's rule that orders inner joins anew takes what holds for the topmost of them for all: rows that have no partner
//! appear, and others go. A query that has such a join keeps its joins as they are.

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::Rule;

/// The name of the engine's rule.
pub(super) const ORDERS_JOINS: &str = "eliminate_cross_join";

/// The engine's rule, for queries without such a join.
#[derive(Debug)]
pub(super) struct WithoutEqualNulls(pub(super) Rule);

impl OptimizerRule for WithoutEqualNulls {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if has_equal_nulls(&plan)? { Ok(Transformed::no(plan)) } else { self.0.rewrite(plan, config) }
    }
}

fn has_equal_nulls(plan: &LogicalPlan) -> Result<bool> {
    let mut is_found = false;
    plan.apply_with_subqueries(|step| {
        is_found = matches!(step, LogicalPlan::Join(join)
            if join.join_type == JoinType::Inner && join.null_equality == NullEquality::NullEqualsNull);
        Ok(if is_found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(is_found)
}
