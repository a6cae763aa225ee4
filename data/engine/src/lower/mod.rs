//! From a frame to a plan of DataFusion.

mod aggregate;
mod distinct;
mod expr;
mod function;
mod project;
mod python;
mod window;

use std::collections::HashSet;

use cardoon_frame::{Expr, Frame, JoinKind, Named, SortKey};
use datafusion::common::{Column, JoinType, NullEquality, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::logical_expr::{self as df, LogicalPlanBuilder, ident};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement;
use futures_util::future::BoxFuture;

use crate::errors::{self, IntoEngine as _};
use crate::tables;

/// Bytes of a query in SQL, at most: what plans it needs stack for each level of it, and threads have 256 MiB.
const LONGEST_QUERY: usize = 64 << 10;

/// The plan of `frame`. Files are looked at for their columns.
pub(crate) fn frame<'a>(session: &'a SessionContext, frame: &'a Frame) -> BoxFuture<'a, Result<DataFrame>> {
    Box::pin(step(session, frame))
}

async fn step(session: &SessionContext, this: &Frame) -> Result<DataFrame> {
    match this {
        Frame::Scan(scan) => session.read_table(tables::open(session, scan).await?),
        Frame::Select { input, columns } => {
            let (input, columns) = python::taken_out(frame(session, input).await?, columns)?;
            project::select(input, &columns)
        }
        Frame::Filter { input, condition } => python::filter(frame(session, input).await?, condition),
        Frame::Assign { input, columns } => python::assign(frame(session, input).await?, columns),
        Frame::Aggregate { input, keys, aggregates, keep_nulls } => {
            let (input, keys) = python::taken_out(frame(session, input).await?, keys)?;
            let (input, aggregates) = python::taken_out(input, aggregates)?;
            aggregate(input, &keys, &aggregates, *keep_nulls)
        }
        Frame::Join { left, right, left_on, right_on, how, suffixes } => {
            let (left, right) = (frame(session, left).await?, frame(session, right).await?);
            join(left, right, (left_on, right_on), *how, suffixes)
        }
        Frame::Sort { input, by } => {
            let input = frame(session, input).await?;
            let by = sort_keys(by, &input)?;
            input.sort(by)
        }
        Frame::Limit { input, skip, fetch } => frame(session, input).await?.limit(*skip, *fetch),
        Frame::Distinct { input, on } => distinct(frame(session, input).await?, on),
        Frame::Concat { inputs } => concat(session, inputs).await,
        Frame::Python { input, function, keys, order } => {
            python::step(frame(session, input).await?, function, keys, order)
        }
        Frame::Sql { query, tables } => sql(session, query, tables).await,
    }
}

fn named(columns: &[Named], input: &DataFrame) -> Result<Vec<df::Expr>> {
    columns.iter().map(|column| Ok(expr::lower(&column.expr, input.schema())?.alias(&column.name))).collect()
}

fn aggregate(input: DataFrame, keys: &[Named], aggregates: &[Named], keep_nulls: bool) -> Result<DataFrame> {
    let groups = named(keys, &input)?;
    let values = named(aggregates, &input)?;
    let mut without_nulls = input;
    if !keep_nulls {
        for key in keys {
            let key = expr::lower(&key.expr, without_nulls.schema())?;
            without_nulls = without_nulls.filter(key.is_not_null())?;
        }
    }
    without_nulls.aggregate(groups, values)
}

fn join(
    left: DataFrame,
    right: DataFrame,
    (left_on, right_on): (&[String], &[String]),
    how: JoinKind,
    suffixes: &(String, String),
) -> Result<DataFrame> {
    let left = left.alias("left")?;
    let right = right.alias("right")?;
    let selected = joined_columns(&left, &right, (left_on, right_on), how, suffixes);
    let keys = |side: &str, on: &[String]| -> Vec<Column> {
        on.iter().map(|name| Column::new(Some(side), name)).collect()
    };
    let keys = (keys("left", left_on), keys("right", right_on));
    let (state, left) = left.into_parts();
    // As in pandas, keys that are missing on both sides are equal.
    let joined = LogicalPlanBuilder::from(left).join_detailed(
        right.into_parts().1,
        join_type(how),
        keys,
        None,
        NullEquality::NullEqualsNull,
    )?;
    DataFrame::new(state, joined.build()?).select(selected)
}

/// The columns that a join has: those of the left side, then those of the right side that are no shared key.
fn joined_columns(
    left: &DataFrame,
    right: &DataFrame,
    (left_on, right_on): (&[String], &[String]),
    how: JoinKind,
    suffixes: &(String, String),
) -> Vec<df::Expr> {
    let names = |side: &DataFrame| -> Vec<String> {
        side.schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    let (left_names, right_names) = (names(left), names(right));
    if matches!(how, JoinKind::Semi | JoinKind::Anti) {
        return left_names.iter().map(|name| of("left", name)).collect();
    }
    let shared: HashSet<&String> =
        left_on.iter().zip(right_on).filter(|(left, right)| left == right).map(|(left, _)| left).collect();
    let from_left = left_names.iter().map(|name| {
        if shared.contains(name) {
            return key(name, how);
        }
        let twice = right_names.contains(name);
        of("left", name).alias(if twice { format!("{name}{}", suffixes.0) } else { name.clone() })
    });
    let from_right = right_names.iter().filter(|name| !shared.contains(name)).map(|name| {
        let twice = left_names.contains(name);
        of("right", name).alias(if twice { format!("{name}{}", suffixes.1) } else { name.clone() })
    });
    from_left.chain(from_right).collect()
}

/// A key that both sides share comes from the side that has all rows.
fn key(name: &str, how: JoinKind) -> df::Expr {
    match how {
        JoinKind::Right => of("right", name).alias(name),
        JoinKind::Outer => {
            datafusion::functions::expr_fn::coalesce(vec![of("left", name), of("right", name)]).alias(name)
        }
        _ => of("left", name).alias(name),
    }
}

fn of(side: &str, name: &str) -> df::Expr {
    df::Expr::Column(Column::new(Some(side), name))
}

fn join_type(how: JoinKind) -> JoinType {
    match how {
        JoinKind::Inner => JoinType::Inner,
        JoinKind::Left => JoinType::Left,
        JoinKind::Right => JoinType::Right,
        JoinKind::Outer => JoinType::Full,
        JoinKind::Semi => JoinType::LeftSemi,
        JoinKind::Anti => JoinType::LeftAnti,
    }
}

fn sort_keys(by: &[SortKey], input: &DataFrame) -> Result<Vec<df::SortExpr>> {
    by.iter().map(|key| expr::sort_key(key, input.schema())).collect()
}

fn distinct(input: DataFrame, on: &[String]) -> Result<DataFrame> {
    if on.is_empty() {
        return input.distinct();
    }
    let all = input.schema().fields().iter().map(|field| ident(field.name())).collect();
    let on = on
        .iter()
        .map(|name| expr::lower(&Expr::Column(name.clone()), input.schema()))
        .collect::<Result<_>>()?;
    input.distinct_on(on, all, None)
}

async fn concat(session: &SessionContext, inputs: &[Frame]) -> Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for input in inputs {
        let next = frame(session, input).await?;
        all = Some(match all {
            None => next,
            Some(before) => before.union_by_name(next)?,
        });
    }
    all.map_or_else(|| session.read_empty(), Ok)
}

async fn sql(session: &SessionContext, query: &str, named: &[(String, Frame)]) -> Result<DataFrame> {
    if query.len() > LONGEST_QUERY {
        return Err(errors::too_long(LONGEST_QUERY).into_engine());
    }
    for (name, input) in named {
        let view = frame(session, input).await?.into_view();
        session.register_table(datafusion::common::TableReference::bare(name.as_str()), view)?;
    }
    let plan = session.state().statement_to_plan(statement(session, query)?).await?;
    crate::session::only_queries().verify_plan(&plan)?;
    session.execute_logical_plan(plan).await
}

/// The one statement of `query`.
fn statement(session: &SessionContext, query: &str) -> Result<Statement> {
    let levels = session.copied_config().options().sql_parser.recursion_limit.get();
    let mut statements = distinct::parse(query, levels)?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (Some(_), false) => plan_err!("a query is a single statement"),
        (None, _) => plan_err!("the query is empty"),
    }
}
