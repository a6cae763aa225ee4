use cardoon_frame::{Binary, Expr, Kind, SortKey, Unary, Value};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::expr_fn;
use datafusion::logical_expr::type_coercion::binary::type_union_resolution;
use datafusion::logical_expr::{self as df, ExprSchemable as _, binary_expr, cast, ident, lit, when};

use super::{aggregate, function, window};
use crate::errors::{self, IntoEngine as _};

/// The expression of DataFusion over the columns of `schema`.
pub(super) fn lower(expr: &Expr, schema: &DFSchema) -> Result<df::Expr> {
    Ok(match expr {
        Expr::Column(name) => column(name, schema)?,
        Expr::Literal(value) => lit(scalar(value)),
        Expr::Unary { op, operand } => unary(*op, lower(operand, schema)?),
        Expr::Binary { op, left, right } => binary(*op, lower(left, schema)?, lower(right, schema)?, schema)?,
        Expr::IsIn { operand, values } => {
            lower(operand, schema)?.in_list(values.iter().map(|value| lit(scalar(value))).collect(), false)
        }
        Expr::Cast { operand, kind } => cast(lower(operand, schema)?, data_type(*kind)),
        Expr::Where { condition, then, otherwise } => {
            let branches = of_one_type(vec![lower(then, schema)?, lower(otherwise, schema)?], schema)?;
            let [then, otherwise] = <[df::Expr; 2]>::try_from(branches)
                .map_err(|_| errors::internal("a branch was lost").into_engine())?;
            when(lower(condition, schema)?, then).otherwise(otherwise)?
        }
        Expr::Call { function, arguments } => {
            let arguments =
                arguments.iter().map(|argument| lower(argument, schema)).collect::<Result<_>>()?;
            function::lower(*function, arguments, schema)?
        }
        Expr::Aggregate(aggregate) => aggregate::lower(aggregate, schema)?,
        Expr::Window(window) => window::lower(window, schema)?,
        // Steps that may have one take it out before.
        Expr::Python(_) => return Err(errors::no_function_here().into_engine()),
    })
}

pub(super) fn sort_key(key: &SortKey, schema: &DFSchema) -> Result<df::SortExpr> {
    Ok(lower(&key.by, schema)?.sort(!key.descending, key.nulls_first))
}

pub(crate) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Boolean => DataType::Boolean,
        Kind::Integer => DataType::Int64,
        Kind::Float => DataType::Float64,
        Kind::Date => DataType::Date32,
        Kind::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Text => DataType::Utf8View,
    }
}

/// Values of different kinds as the one that holds all of them. The engine does so itself, but later: until then it takes them
/// for what the first one is.
pub(super) fn of_one_type(values: Vec<df::Expr>, schema: &DFSchema) -> Result<Vec<df::Expr>> {
    let types = values.iter().map(|value| value.get_type(schema)).collect::<Result<Vec<_>>>()?;
    let Some(common) = type_union_resolution(&types) else { return Ok(values) };
    let fits = |(value, own)| if own == common { value } else { cast(value, common.clone()) };
    Ok(values.into_iter().zip(types).map(fits).collect())
}

/// A column by its name as it stands: upper case and points mean nothing.
fn column(name: &str, schema: &DFSchema) -> Result<df::Expr> {
    let mut known = schema.fields().iter().map(|field| field.name().as_str());
    if known.any(|field| field == name) {
        return Ok(ident(name));
    }
    let known: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    Err(errors::no_such_column(name, &known).into_engine())
}

fn scalar(value: &Value) -> ScalarValue {
    match value {
        Value::Null => ScalarValue::Null,
        Value::Boolean(value) => ScalarValue::Boolean(Some(*value)),
        Value::Integer(value) => ScalarValue::Int64(Some(*value)),
        Value::Float(value) => ScalarValue::Float64(Some(*value)),
        Value::Text(value) => ScalarValue::Utf8View(Some(value.clone())),
        Value::Timestamp(value) => ScalarValue::TimestampMicrosecond(Some(*value), None),
    }
}

fn unary(op: Unary, operand: df::Expr) -> df::Expr {
    match op {
        Unary::Not => df::not(operand),
        Unary::Negate => df::Expr::Negative(Box::new(operand)),
        Unary::IsNull => operand.is_null(),
        Unary::IsNotNull => operand.is_not_null(),
    }
}

fn binary(op: Binary, left: df::Expr, right: df::Expr, schema: &DFSchema) -> Result<df::Expr> {
    use df::Operator as Op;
    let op = match op {
        Binary::Divide => return Ok(divide(left, right)),
        Binary::FloorDivide => return floor_divide(left, right, schema),
        Binary::Modulo => return modulo(left, right, schema),
        Binary::Power => return power(left, right, schema),
        Binary::Add => Op::Plus,
        Binary::Subtract => Op::Minus,
        Binary::Multiply => Op::Multiply,
        Binary::Equal => Op::Eq,
        Binary::NotEqual => Op::NotEq,
        Binary::Less => Op::Lt,
        Binary::LessOrEqual => Op::LtEq,
        Binary::Greater => Op::Gt,
        Binary::GreaterOrEqual => Op::GtEq,
        Binary::And => Op::And,
        Binary::Or => Op::Or,
    };
    Ok(binary_expr(left, op, right))
}

fn divide(left: df::Expr, right: df::Expr) -> df::Expr {
    cast(left, DataType::Float64) / cast(right, DataType::Float64)
}

fn floor_divide(left: df::Expr, right: df::Expr, schema: &DFSchema) -> Result<df::Expr> {
    if !whole(&left, &right, schema)? {
        return Ok(expr_fn::floor(divide(left, right)));
    }
    let rest = modulo(left.clone(), right.clone(), schema)?;
    Ok((left - rest) / or_null(right))
}

/// The engine's remainder has the sign of the left side; adding the right side once turns it.
fn modulo(left: df::Expr, right: df::Expr, schema: &DFSchema) -> Result<df::Expr> {
    let right = if whole(&left, &right, schema)? { or_null(right) } else { right };
    Ok((left % right.clone() + right.clone()) % right)
}

/// The engine's power is a float.
fn power(left: df::Expr, right: df::Expr, schema: &DFSchema) -> Result<df::Expr> {
    let is_whole = whole(&left, &right, schema)?;
    let power = expr_fn::power(left, right);
    Ok(if is_whole { cast(power, DataType::Int64) } else { power })
}

fn whole(left: &df::Expr, right: &df::Expr, schema: &DFSchema) -> Result<bool> {
    Ok(left.get_type(schema)?.is_integer() && right.get_type(schema)?.is_integer())
}

/// A whole number divided by zero is null; the engine would fail.
fn or_null(divisor: df::Expr) -> df::Expr {
    expr_fn::nullif(divisor, lit(0_i64))
}
