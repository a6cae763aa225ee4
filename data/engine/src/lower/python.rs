//! Functions of Python, which are steps of a plan of their own, also where they stand in an expression.

use cardoon_frame::{Expr, Named, PythonCall, PythonFunction};
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;

use super::{expr, project};
use crate::order;
use crate::python::{self, Function, Given};

/// What a function makes of all rows, or of the rows of each group.
pub(super) fn step(
    input: DataFrame,
    function: &PythonFunction,
    keys: &[String],
    order_by: &[String],
) -> Result<DataFrame> {
    let function = Function::new(function)?;
    if keys.is_empty() {
        return python::step(input, function, Given::Chunks);
    }
    let (input, order) = if order_by.is_empty() && order::is_of_files(input.logical_plan())? {
        python::with_places(input)?
    } else {
        (input, order_by.to_vec())
    };
    python::step(input, function, Given::Groups { keys: keys.to_vec(), order })
}

/// `columns` without functions of Python: what these make are columns of the input.
pub(super) fn taken_out(input: DataFrame, columns: &[Named]) -> Result<(DataFrame, Vec<Named>)> {
    let mut columns = columns.to_vec();
    let before = project::names(&input).len();
    let mut calls = Vec::new();
    for column in &mut columns {
        take_out(&mut column.expr, before, &mut calls);
    }
    let mut input = input;
    for (number, call) in calls.iter().enumerate() {
        input = with_column(input, &name(before, number), call)?;
    }
    Ok((input, columns))
}

pub(super) fn assign(input: DataFrame, columns: &[Named]) -> Result<DataFrame> {
    let known = project::names(&input);
    let (input, columns) = taken_out(input, columns)?;
    project::assign_to(input, &known, &columns)
}

pub(super) fn filter(input: DataFrame, condition: &Expr) -> Result<DataFrame> {
    let known = project::names(&input);
    let named = Named { name: String::new(), expr: condition.clone() };
    let (input, columns) = taken_out(input, &[named])?;
    let has_functions = project::names(&input).len() > known.len();
    let condition = columns.first().map_or(condition, |column| &column.expr);
    let condition = expr::lower(condition, input.schema())?;
    let filtered = input.filter(condition)?;
    if has_functions { project::assign_to(filtered, &known, &[]) } else { Ok(filtered) }
}

/// Functions within the arguments of others come first.
fn take_out(expr: &mut Expr, before: usize, calls: &mut Vec<PythonCall>) {
    for operand in expr.operands_mut() {
        take_out(operand, before, calls);
    }
    if let Expr::Python(call) = expr {
        let number = calls.iter().position(|other| *other == **call).unwrap_or(calls.len());
        if number == calls.len() {
            calls.push(PythonCall::clone(call));
        }
        *expr = Expr::Column(name(before, number));
    }
}

/// The name of a column that a function makes. Columns of the step before may be made by functions as well.
fn name(before: usize, number: usize) -> String {
    format!("__python_{before}_{number}__")
}

fn with_column(input: DataFrame, name: &str, call: &PythonCall) -> Result<DataFrame> {
    let mut made = Vec::new();
    let mut arguments = Vec::new();
    for (place, argument) in call.arguments.iter().enumerate() {
        if let Expr::Column(name) = argument {
            arguments.push(name.clone());
        } else {
            arguments.push(format!("{name}{place}"));
            made.push(Named { name: format!("{name}{place}"), expr: argument.clone() });
        }
    }
    let input = if made.is_empty() { input } else { project::assign(input, &made)? };
    python::step(input, Function::new(&call.function)?.named(name), Given::Rows { arguments })
}
