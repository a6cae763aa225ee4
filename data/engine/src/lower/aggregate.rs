use cardoon_frame::{Aggregate, SortKey};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::error::Result;
use datafusion::functions_aggregate::count::count_all;
use datafusion::functions_aggregate::expr_fn;
use datafusion::logical_expr::expr::NullTreatment;
use datafusion::logical_expr::{Expr, ExprFunctionExt as _, cast, lit};

use super::expr;

pub(super) fn lower(aggregate: &Aggregate, schema: &DFSchema) -> Result<Expr> {
    let of = |operand| expr::lower(operand, schema);
    Ok(match aggregate {
        Aggregate::CountRows => count_all(),
        Aggregate::Count(operand) => expr_fn::count(of(operand)?),
        Aggregate::CountDistinct(operand) => expr_fn::count_distinct(of(operand)?),
        Aggregate::Sum(operand) => expr_fn::sum(of(operand)?),
        Aggregate::Mean(operand) => expr_fn::avg(of(operand)?),
        Aggregate::Min(operand) => expr_fn::min(of(operand)?),
        Aggregate::Max(operand) => expr_fn::max(of(operand)?),
        Aggregate::StandardDeviation(operand) => expr_fn::stddev(of(operand)?),
        Aggregate::Variance(operand) => expr_fn::var_sample(of(operand)?),
        Aggregate::Median(operand) => expr_fn::median(cast(of(operand)?, DataType::Float64)),
        Aggregate::Quantile { operand, quantile } => {
            expr_fn::percentile_cont(cast(of(operand)?, DataType::Float64).sort(true, false), lit(*quantile))
        }
        Aggregate::First(operand) => of_values(expr_fn::first_value(of(operand)?, Vec::new()), &[], schema)?,
        Aggregate::Last(operand) => of_values(expr_fn::last_value(of(operand)?, Vec::new()), &[], schema)?,
        Aggregate::FirstBy { operand, order_by } => {
            of_values(expr_fn::first_value(of(operand)?, Vec::new()), order_by, schema)?
        }
        Aggregate::LastBy { operand, order_by } => {
            of_values(expr_fn::last_value(of(operand)?, Vec::new()), order_by, schema)?
        }
    })
}

/// Nulls are passed over.
fn of_values(aggregate: Expr, order_by: &[SortKey], schema: &DFSchema) -> Result<Expr> {
    let order_by = order_by.iter().map(|key| expr::sort_key(key, schema)).collect::<Result<Vec<_>>>()?;
    aggregate.null_treatment(NullTreatment::IgnoreNulls).order_by(order_by).build()
}
