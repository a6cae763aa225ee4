//! Steps that make columns.

use std::collections::HashSet;

use cardoon_frame::Named;
use datafusion::common::TableReference;
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::logical_expr::{self as df, ident};

use super::expr;

/// What qualifies the columns of a step: the other one than in the step before.
const QUALIFIERS: [&str; 2] = ["one", "other"];

/// These columns and no others.
pub(super) fn select(input: DataFrame, columns: &[Named]) -> Result<DataFrame> {
    let columns = columns
        .iter()
        .map(|column| Ok((column.name.clone(), expr::lower(&column.expr, input.schema())?)))
        .collect::<Result<_>>()?;
    project(input, columns)
}

/// All columns are made of those of the input: none sees what another one of them assigns.
pub(super) fn assign(input: DataFrame, columns: &[Named]) -> Result<DataFrame> {
    let known = names(&input);
    assign_to(input, &known, columns)
}

/// The same, of the columns `known` and no others.
pub(super) fn assign_to(input: DataFrame, known: &[String], columns: &[Named]) -> Result<DataFrame> {
    let mut selected: Vec<(String, df::Expr)> = Vec::with_capacity(known.len() + columns.len());
    for name in known {
        let new = columns.iter().rfind(|column| column.name == *name);
        let expr = new.map_or_else(|| Ok(ident(name)), |new| expr::lower(&new.expr, input.schema()))?;
        selected.push((name.clone(), expr));
    }
    let mut taken: HashSet<&str> = known.iter().map(String::as_str).collect();
    for column in columns {
        if taken.insert(&column.name) {
            let last = columns.iter().rfind(|other| other.name == column.name).unwrap_or(column);
            selected.push((column.name.clone(), expr::lower(&last.expr, input.schema())?));
        }
    }
    project(input, selected)
}

pub(super) fn names(input: &DataFrame) -> Vec<String> {
    input.schema().fields().iter().map(|field| field.name().clone()).collect()
}

/// The engine leaves out a projection that is equal to the one before, even if it changes again what that has changed:
/// `x + 1 as x`, twice, would add 1. The qualifiers keep two in a row from being equal.
fn project(input: DataFrame, columns: Vec<(String, df::Expr)>) -> Result<DataFrame> {
    let [one, other] = QUALIFIERS;
    let is_one = |qualifier: Option<&TableReference>| qualifier.is_some_and(|table| table.table() == one);
    let qualifier = if input.schema().iter().any(|(before, _)| is_one(before)) { other } else { one };
    let columns: Vec<df::Expr> =
        columns.into_iter().map(|(name, expr)| expr.alias_qualified(Some(qualifier), name)).collect();
    input.select(columns)
}
