//! Whether rows have an order that a reader of the files would expect.

use std::sync::Arc;

use datafusion::common::tree_node::TreeNode as _;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::prelude::SessionConfig;

use crate::python;
use crate::tables::Place;

/// Says that each partition is to read rows that stand before those of the next one.
pub(crate) struct InOrder;

/// Keeps the order of the files where each row of the answer is made of one row of them, or where a function is given the
/// rows of groups. Such a query has one reader: it has little to do beside reading. Executors that have functions to call
/// have enough to do, and each reads a part of the files.
pub(crate) fn kept(frame: DataFrame, place: Place) -> Result<DataFrame> {
    let (mut state, plan) = frame.into_parts();
    let has_functions = exists(&plan, |step| matches!(step, LogicalPlan::Extension(_)))?;
    let is_placed =
        exists(&plan, |step| matches!(step, LogicalPlan::Extension(step) if python::is_places(step)))?;
    if is_placed || is_by_row(&plan)? {
        let has_limit = exists(&plan, |step| matches!(step, LogicalPlan::Limit(_)))?;
        if place == Place::Executors && has_functions && !has_limit {
            read_in_order(state.config_mut());
        } else {
            state.config_mut().options_mut().execution.target_partitions = 1;
        }
    }
    if windows_stand_below_a_limit(&plan)? {
        keep_limits_above(state.config_mut(), &plan)?;
    }
    Ok(DataFrame::new(state, plan))
}

fn windows_stand_below_a_limit(plan: &LogicalPlan) -> Result<bool> {
    let has_window = exists(plan, |step| matches!(step, LogicalPlan::Window(_)))?;
    let limits = |step: &LogicalPlan| match step {
        LogicalPlan::Limit(_) => true,
        LogicalPlan::Sort(sort) => sort.fetch.is_some(),
        _ => false,
    };
    Ok(has_window && exists(plan, limits)?)
}

/// Whether a window is one of all rows.
fn sees_all_rows(plan: &LogicalPlan) -> Result<bool> {
    let is_whole = |expr: &Expr| match expr {
        Expr::WindowFunction(window) => window.params.partition_by.is_empty(),
        _ => false,
    };
    let has_whole = |expr: &Expr| expr.exists(|part| Ok(is_whole(part))).unwrap_or(true);
    exists(plan, |step| match step {
        LogicalPlan::Window(window) => window.window_expr.iter().any(has_whole),
        _ => false,
    })
}

/// These rules of the engine move a limit below a window, which then sees the wanted rows only. One that sees all rows is
/// not safe from the merge of several partitions either, and has one reader: it is one thread's work in any case.
fn keep_limits_above(config: &mut SessionConfig, plan: &LogicalPlan) -> Result<()> {
    let options = config.options_mut();
    options.optimizer.repartition_sorts = false;
    options.optimizer.enable_topk_aggregation = false;
    options.optimizer.enable_distinct_aggregation_soft_limit = false;
    options.optimizer.enable_window_limits = false;
    if sees_all_rows(plan)? {
        options.execution.target_partitions = 1;
    }
    Ok(())
}

fn read_in_order(config: &mut SessionConfig) {
    config.set_extension(Arc::new(InOrder));
    let options = config.options_mut();
    options.optimizer.enable_round_robin_repartition = false;
    options.execution.enable_file_stream_work_stealing = false;
}

/// Whether rows come as the files have them, if those are read by one reader.
pub(crate) fn is_of_files(plan: &LogicalPlan) -> Result<bool> {
    match plan {
        LogicalPlan::Union(union) => {
            union.inputs.iter().try_fold(true, |all, input| Ok(all && is_by_row(input)?))
        }
        _ => is_by_row(plan),
    }
}

fn is_by_row(plan: &LogicalPlan) -> Result<bool> {
    let has_other = exists(plan, |step| match step {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::TableScan(_) => false,
        LogicalPlan::Extension(step) => !python::keeps_order(step),
        _ => true,
    })?;
    Ok(!has_other)
}

fn exists(plan: &LogicalPlan, is_wanted: impl Fn(&LogicalPlan) -> bool) -> Result<bool> {
    plan.exists(|step| Ok(is_wanted(step)))
}
