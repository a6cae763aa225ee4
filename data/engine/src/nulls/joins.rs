//! Joins in which a null equals a null (`is not distinct from`) beside joins in which it does not.
//!
//! The engine's rule that orders inner joins anew takes what holds for the topmost of them for all: rows that have no partner
//! appear, and others go. A query that has such a join keeps its joins as they are.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality};
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// The name of the engine's rule.
const ORDERS_JOINS: &str = "eliminate_cross_join";

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// The engine's rule, for queries without such a join.
#[derive(Debug)]
struct WithoutEqualNulls(Rule);

/// `rules` that keep what is said of nulls.
pub(crate) fn kept(rules: &[Rule]) -> Vec<Rule> {
    let kept = |rule: &Rule| match rule.name() {
        ORDERS_JOINS => Arc::new(WithoutEqualNulls(rule.clone())),
        _ => rule.clone(),
    };
    rules.iter().map(kept).collect()
}

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
