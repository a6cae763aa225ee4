use cardoon_frame::Function;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::expr_fn;
use datafusion::logical_expr::{Expr, ExprSchemable as _, Operator, binary_expr, cast, lit, when};

use super::expr;
use crate::errors::{self, IntoEngine as _};

/// A call of `function`. An error if it has too few or too many arguments.
pub(super) fn lower(function: Function, arguments: Vec<Expr>, schema: &DFSchema) -> Result<Expr> {
    let mut given = arguments.into_iter();
    let (all, first, second, third) = (given.clone().collect(), given.next(), given.next(), given.next());
    let call = match (function, first, second, third) {
        (Function::Coalesce, Some(_), ..) => Some(expr::of_one_type(all, schema).map(expr_fn::coalesce)),
        (Function::Round, Some(operand), digits, None) => Some(round(operand, digits, schema)),
        (_, Some(operand), None, None) => of_one(function, operand).map(Ok),
        (_, Some(operand), Some(second), None) => of_two(function, operand, second).map(Ok),
        (_, Some(operand), Some(second), Some(third)) if given.next().is_none() => {
            of_three(function, operand, second, third).map(Ok)
        }
        _ => None,
    };
    call.transpose()?.ok_or_else(|| errors::wrong_arguments(&format!("{function:?}")).into_engine())
}

fn of_one(function: Function, operand: Expr) -> Option<Expr> {
    Some(match function {
        Function::Abs => expr_fn::abs(operand),
        Function::Floor => expr_fn::floor(operand),
        Function::Ceil => expr_fn::ceil(operand),
        Function::Sqrt => expr_fn::sqrt(operand),
        Function::Exp => expr_fn::exp(operand),
        Function::Ln => expr_fn::ln(operand),
        Function::Lower => expr_fn::lower(operand),
        Function::Upper => expr_fn::upper(operand),
        Function::Strip => expr_fn::trim(vec![operand]),
        Function::Length => cast(expr_fn::char_length(operand), DataType::Int64),
        Function::Year => part("year", operand),
        Function::Month => part("month", operand),
        Function::Day => part("day", operand),
        Function::Hour => part("hour", operand),
        Function::Minute => part("minute", operand),
        Function::Second => part("second", operand),
        // The engine counts from Sunday.
        Function::DayOfWeek => (part("dow", operand) + lit(6_i64)) % lit(7_i64),
        Function::ToDate => cast(operand, DataType::Date32),
        _ => return None,
    })
}

fn of_two(function: Function, operand: Expr, second: Expr) -> Option<Expr> {
    Some(match function {
        Function::Concat => binary_expr(operand, Operator::StringConcat, second),
        Function::Contains => expr_fn::contains(operand, second),
        Function::Matches => expr_fn::regexp_like(operand, second, None),
        Function::StartsWith => expr_fn::starts_with(operand, second),
        Function::EndsWith => expr_fn::ends_with(operand, second),
        Function::Truncate => expr_fn::date_trunc(second, operand),
        Function::Slice => expr_fn::substr(operand, second + lit(1_i64)),
        _ => return None,
    })
}

fn of_three(function: Function, operand: Expr, second: Expr, third: Expr) -> Option<Expr> {
    Some(match function {
        Function::Replace => expr_fn::replace(operand, second, third),
        Function::Slice => expr_fn::substring(operand, second + lit(1_i64), third),
        _ => return None,
    })
}

/// To so many digits after the point, of which a whole number has none.
fn round(number: Expr, digits: Option<Expr>, schema: &DFSchema) -> Result<Expr> {
    let before_the_point =
        matches!(digits, Some(Expr::Literal(ScalarValue::Int64(Some(digits)), _)) if digits < 0);
    if number.get_type(schema)?.is_integer() && !before_the_point {
        return Ok(number);
    }
    let Some(digits) = digits else { return half_to_even(number) };
    let scale = expr_fn::power(lit(10.0_f64), digits);
    Ok(half_to_even(number * scale.clone())? / scale)
}

/// The engine rounds a half away from zero; that of a half as large is the even one.
fn half_to_even(number: Expr) -> Result<Expr> {
    let round = |number| expr_fn::round(vec![number]);
    let number = cast(number, DataType::Float64);
    let is_half = (number.clone() - expr_fn::floor(number.clone())).eq(lit(0.5_f64));
    when(is_half, round(number.clone() / lit(2.0_f64)) * lit(2.0_f64)).otherwise(round(number))
}

fn part(name: &str, time: Expr) -> Expr {
    cast(expr_fn::date_part(lit(name), time), DataType::Int64)
}
