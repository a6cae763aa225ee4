//! Groups by keys that are some of few.
//!
//! To find the group of a row is most of what a count per user costs: a hash table of a million users lies in no cache.
//! Numbers of users, days and shops lie close together, though, and texts that are grouped by are few. Then a table with a
//! place for each combination of keys finds a group without hashing or comparing anything, and is a fifth as large. Where
//! there are too many combinations, the engine's own operator groups.

mod exec;
mod groups;
mod keys;
mod partition;
mod rest;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

use crate::steps::{Replace, Step};
use exec::DirectAggregateExec;
use groups::Groups;

/// Puts [`DirectAggregateExec`] in the place of a grouping that it can do.
pub(crate) const DIRECT_GROUPS: Replace = Replace { name: "direct_groups", instead: direct };

/// Whether a step is the first half of a grouping.
pub(crate) fn is_first_half(step: &dyn ExecutionPlan) -> bool {
    let direct = step.downcast_ref::<DirectAggregateExec>().and_then(|direct| direct.usual().ok());
    let grouping = direct.or_else(|| step.downcast_ref::<AggregateExec>());
    grouping.is_some_and(|grouping| *grouping.mode() == AggregateMode::Partial)
}

fn is_direct(step: &AggregateExec) -> bool {
    let has_numbers = || partition::kinds(step).is_ok_and(|kinds| Groups::of(&kinds).is_some());
    !step.group_expr().expr().is_empty()
        && step.group_expr().is_single()
        && step.limit_options().is_none()
        && matches!(step.input_order_mode(), InputOrderMode::Linear)
        && step.filter_expr().iter().all(Option::is_none)
        && step.aggr_expr().iter().all(|value| {
            !value.is_distinct() && value.order_bys().is_empty() && value.groups_accumulator_supported()
        })
        && has_numbers()
}

fn direct(step: &Step) -> Result<Option<Step>> {
    let Some(grouping) = step.downcast_ref().filter(|grouping| is_direct(grouping)) else { return Ok(None) };
    Ok(Some(match grouping.mode() {
        AggregateMode::Single => halves(grouping, AggregateMode::Final)?,
        AggregateMode::SinglePartitioned => halves(grouping, AggregateMode::FinalPartitioned)?,
        _ => DirectAggregateExec::of(step.clone()),
    }))
}

/// What groups at once is made of two halves: if it cannot go on, the second one puts together what it has given out.
fn halves(grouping: &AggregateExec, second: AggregateMode) -> Result<Step> {
    let half = |mode, groups, input| {
        let (values, filters) = (grouping.aggr_expr().to_vec(), grouping.filter_expr().to_vec());
        AggregateExec::try_new(mode, groups, values, filters, input, grouping.input_schema())
    };
    let groups = grouping.group_expr();
    let first = half(AggregateMode::Partial, groups.clone(), grouping.input().clone())?;
    let first = DirectAggregateExec::of(Arc::new(first));
    Ok(DirectAggregateExec::of(Arc::new(half(second, groups.as_final(), first)?)))
}
