//! `x in (select …)` where it matters whether the answer is no or unknown.
//!
//! It is unknown if there is no equal row but a null, on either side. The engine knows that where all of a condition is one
//! `not in` whose rows do not depend on the row outside. Anywhere else in a condition it asks whether there is an equal row,
//! and no more; among the columns of a `select` it has no answer at all.

use std::sync::Arc;

use datafusion::common::alias::AliasGenerator;
use datafusion::common::tree_node::{Transformed, TreeNode as _};
use datafusion::common::{Column, DFSchema, ExprSchema as _, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::{BinaryExpr, Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Expr, Filter, LogicalPlan, LogicalPlanBuilder, Operator, Projection, Subquery, lit, not, when,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

/// Writes out all three answers before the engine makes joins of them.
#[derive(Debug)]
pub(super) struct ThreeValued;

impl OptimizerRule for ThreeValued {
    fn name(&self) -> &'static str {
        "three_valued_subqueries"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn supports_rewrite(&self) -> bool {
        true
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Filter(filter) => of_condition(filter, config.alias_generator()),
            LogicalPlan::Projection(columns) if columns.expr.iter().any(asks) => {
                of_columns(columns, config.alias_generator()).map(Transformed::yes)
            }
            other => Ok(Transformed::no(other)),
        }
    }
}

fn of_condition(filter: Filter, names: &AliasGenerator) -> Result<Transformed<LogicalPlan>> {
    let answers = Answers { names, outside: None };
    let predicate = without_certain(filter.predicate.clone())?;
    let parts = split_conjunction(&predicate).into_iter().cloned();
    let written = parts.map(|part| answers.condition(part)).collect::<Result<Vec<_>>>()?;
    match conjunction(written).filter(|written| *written != filter.predicate) {
        Some(written) => Ok(Transformed::yes(LogicalPlan::Filter(Filter::try_new(written, filter.input)?))),
        None => Ok(Transformed::no(LogicalPlan::Filter(filter))),
    }
}

fn of_columns(columns: Projection, names: &AliasGenerator) -> Result<LogicalPlan> {
    let Projection { expr, input, .. } = columns;
    let answers = Answers { names, outside: Some(input.schema()) };
    let written = expr.into_iter().map(|column| {
        let name = NamePreserver::new_for_projection().save(&column);
        Ok(name.restore(answers.in_full(without_certain(column)?)?))
    });
    Ok(LogicalPlan::Projection(Projection::try_new(written.collect::<Result<_>>()?, input)?))
}

/// Whether a column has a question in it.
fn asks(column: &Expr) -> bool {
    let is_question = |expr: &Expr| Ok(matches!(expr, Expr::InSubquery(_) | Expr::Exists(_)));
    column.exists(is_question).unwrap_or_default()
}

/// Writes them out where the engine would not tell them apart.
struct Answers<'a> {
    /// Of columns.
    names: &'a AliasGenerator,
    /// The columns of the rows that ask. Nothing if it is for a condition, of which the engine makes joins.
    outside: Option<&'a DFSchema>,
}

impl Answers<'_> {
    /// One of the conditions that all must hold.
    fn condition(&self, part: Expr) -> Result<Expr> {
        match part {
            Expr::Not(of) => match *of {
                Expr::InSubquery(question) => {
                    self.condition(Expr::InSubquery(InSubquery { negated: !question.negated, ..question }))
                }
                other => self.in_full(not(other)),
            },
            Expr::InSubquery(question) if !is_understood(&question) => self.three_valued(question),
            Expr::InSubquery(question) => Ok(Expr::InSubquery(question)),
            other => self.only_if_true(other),
        }
    }

    /// An expression whose no is as good as its unknown.
    fn only_if_true(&self, expr: Expr) -> Result<Expr> {
        match expr {
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let (left, right) = (self.only_if_true(*left)?, self.only_if_true(*right)?);
                Ok(Expr::BinaryExpr(BinaryExpr::new(left.into(), op, right.into())))
            }
            Expr::InSubquery(question) if !question.negated && !is_one_row(&question.subquery.subquery) => {
                self.named(question).map(Expr::InSubquery)
            }
            other => self.in_full(other),
        }
    }

    fn in_full(&self, expr: Expr) -> Result<Expr> {
        let written = expr.transform_up(|expr| match expr {
            Expr::InSubquery(question) => self.three_valued(question).map(Transformed::yes),
            Expr::Exists(Exists { subquery, negated }) if self.outside.is_some() => {
                let has_rows = has_rows(&subquery, None)?;
                Ok(Transformed::yes(if negated { not(has_rows) } else { has_rows }))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(written.data)
    }

    /// All three answers.
    fn three_valued(&self, question: InSubquery) -> Result<Expr> {
        let InSubquery { expr, subquery, negated } = self.named(question)?;
        if is_one_row(&subquery.subquery) {
            let row = Expr::ScalarSubquery(subquery);
            return Ok(if negated { expr.not_eq(row) } else { Expr::eq(*expr, row) });
        }
        let has_nulls = has_rows(&subquery, Some(value(&subquery).is_null()))?;
        let unknown = expr.clone().is_null().and(has_rows(&subquery, None)?).or(has_nulls);
        let is_equal = match self.outside {
            Some(columns) => has_rows(&subquery, Some(value(&subquery).eq(from_outside(*expr, columns)?)))?,
            None => Expr::InSubquery(InSubquery { expr, subquery, negated: false }),
        };
        let answer =
            when(is_equal, lit(true)).when(unknown, lit(ScalarValue::Boolean(None))).otherwise(lit(false))?;
        Ok(if negated { not(answer) } else { answer })
    }

    /// The same question. The engine stumbles over a column that is called by its expression, such as `max(x)`, and over two
    /// that have one name.
    fn named(&self, question: InSubquery) -> Result<InSubquery> {
        let rows = LogicalPlanBuilder::from(question.subquery.subquery.as_ref().clone());
        let name = self.names.next("value");
        let rows = rows.project([value(&question.subquery).alias(name)])?.build()?;
        let subquery = Subquery { subquery: Arc::new(rows), ..question.subquery };
        Ok(InSubquery { subquery, ..question })
    }
}

/// `exists` of just one row is true. The engine looks for it in vain where no row below it is like the one outside.
fn without_certain(expr: Expr) -> Result<Expr> {
    let written = expr.transform(|expr| match expr {
        Expr::Exists(Exists { subquery, negated }) if is_one_row(&subquery.subquery) => {
            Ok(Transformed::yes(lit(!negated)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(written.data)
}

/// Whether the engine knows all answers to a question that is a condition.
fn is_understood(question: &InSubquery) -> bool {
    let is_correlated = !question.subquery.outer_ref_columns.is_empty();
    !is_correlated || !(question.negated || is_one_row(&question.subquery.subquery))
}

/// Whether there is just one row, whatever is below: then to be in it is to be equal to it.
fn is_one_row(rows: &LogicalPlan) -> bool {
    match rows {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => is_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_one_row(&alias.input),
        _ => false,
    }
}

/// The only column of a subquery.
fn value(subquery: &Subquery) -> Expr {
    Expr::Column(Column::from(subquery.subquery.schema().qualified_field(0)))
}

/// Whether there are rows (`that` holds for).
fn has_rows(subquery: &Subquery, that: Option<Expr>) -> Result<Expr> {
    let mut rows = LogicalPlanBuilder::from(subquery.subquery.as_ref().clone());
    if let Some(that) = that {
        rows = rows.filter(that)?;
    }
    let counted = rows.aggregate(Vec::<Expr>::new(), [count(lit(1_i64))])?.build()?;
    let outer_ref_columns = counted.all_out_ref_exprs();
    let counted = Subquery { subquery: Arc::new(counted), outer_ref_columns, spans: subquery.spans.clone() };
    Ok(Expr::ScalarSubquery(counted).gt(lit(0_i64)))
}

/// An expression of the row that asks, as the subquery sees it.
fn from_outside(expr: Expr, columns: &DFSchema) -> Result<Expr> {
    let seen = expr.transform_up(|expr| match expr {
        Expr::Column(column) => {
            let field = columns.field_from_column(&column)?.clone();
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    })?;
    Ok(seen.data)
}
