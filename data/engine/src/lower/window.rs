use cardoon_frame::{Window, WindowFunction};
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::functions_window::expr_fn;
use datafusion::logical_expr::expr::{WindowFunction as Over, WindowFunctionParams};
use datafusion::logical_expr::{Expr, ExprFunctionExt as _, WindowFunctionDefinition};

use super::{aggregate, expr};
use crate::errors::{self, IntoEngine as _};

pub(super) fn lower(window: &Window, schema: &DFSchema) -> Result<Expr> {
    let partition_by =
        window.partition_by.iter().map(|by| expr::lower(by, schema)).collect::<Result<Vec<_>>>()?;
    let order_by =
        window.order_by.iter().map(|key| expr::sort_key(key, schema)).collect::<Result<Vec<_>>>()?;
    let over = function(&window.function, schema)?.partition_by(partition_by);
    // The engine takes an empty order for one of all rows so far.
    if order_by.is_empty() { over.build() } else { over.order_by(order_by).build() }
}

fn function(function: &WindowFunction, schema: &DFSchema) -> Result<Expr> {
    Ok(match function {
        WindowFunction::RowNumber => expr_fn::row_number(),
        WindowFunction::Rank => expr_fn::rank(),
        WindowFunction::DenseRank => expr_fn::dense_rank(),
        WindowFunction::Shift { operand, rows } => {
            let operand = expr::lower(operand, schema)?;
            if *rows < 0 {
                expr_fn::lead(operand, Some(-rows), None)
            } else {
                expr_fn::lag(operand, Some(*rows), None)
            }
        }
        WindowFunction::Aggregate(aggregate) => over(aggregate::lower(aggregate, schema)?)?,
    })
}

/// An aggregate as a function of a window.
fn over(aggregate: Expr) -> Result<Expr> {
    let Expr::AggregateFunction(aggregate) = aggregate else {
        return Err(errors::internal("an aggregate was lowered to something else").into_engine());
    };
    let mut over = Over::new(WindowFunctionDefinition::AggregateUDF(aggregate.func), aggregate.params.args);
    let WindowFunctionParams { distinct, .. } = &mut over.params;
    *distinct = aggregate.params.distinct;
    Ok(Expr::WindowFunction(Box::new(over)))
}
