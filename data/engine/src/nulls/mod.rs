//! Where rules of the engine forget what a null means.

mod joins;
mod subqueries;

use std::sync::Arc;

use datafusion::optimizer::OptimizerRule;

use joins::WithoutEqualNulls;
use subqueries::ThreeValued;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;

/// The engine's `rules`, which keep what is said of nulls.
pub(crate) fn kept(rules: &[Rule]) -> Vec<Rule> {
    let first: Rule = Arc::new(ThreeValued);
    let others = rules.iter().cloned().map(|rule| match rule.name() {
        joins::ORDERS_JOINS => Arc::new(WithoutEqualNulls(rule)),
        _ => rule,
    });
    std::iter::once(first).chain(others).collect()
}
