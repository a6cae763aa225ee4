//! Whether rows have an order that a reader of the files would expect.

use datafusion::common::tree_node::TreeNode as _;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::logical_expr::LogicalPlan;

use crate::python;

/// Keeps the order of the files where each row of the answer is made of one row of them. Such a query has one reader: it
/// has little to do beside reading.
pub(crate) fn kept(frame: DataFrame) -> Result<DataFrame> {
    let (mut state, plan) = frame.into_parts();
    if is_by_row(&plan)? {
        state.config_mut().options_mut().execution.target_partitions = 1;
    }
    Ok(DataFrame::new(state, plan))
}

fn is_by_row(plan: &LogicalPlan) -> Result<bool> {
    let other = plan.exists(|step| {
        Ok(match step {
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::TableScan(_) => false,
            LogicalPlan::Extension(step) => !python::keeps_order(step),
            _ => true,
        })
    })?;
    Ok(!other)
}
