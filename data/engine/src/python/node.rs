//! Our steps in a plan that is not yet how something is done.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::function::{Function, Given};
use super::places;

/// A step that the engine does not know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) input: LogicalPlan,
    pub(super) what: What,
    schema: DFSchemaRef,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum What {
    Called(Function, Given),
    /// A column that says in which order rows came.
    Placed,
}

/// What `function` makes of the rows of `input`.
pub(crate) fn step(input: DataFrame, function: Function, given: Given) -> Result<DataFrame> {
    added(input, What::Called(function, given))
}

/// `input` and `what` behind it.
pub(super) fn added(input: DataFrame, what: What) -> Result<DataFrame> {
    let (state, input) = input.into_parts();
    let node = Node::new(input, what)?;
    Ok(DataFrame::new(state, LogicalPlan::Extension(Extension { node: Arc::new(node) })))
}

/// Whether rows come out of a step in the order in which they came into it. It is not asked of steps that are not ours.
pub(crate) fn keeps_order(step: &Extension) -> bool {
    let node = step.node.as_any().downcast_ref::<Node>();
    !node.is_some_and(|node| matches!(node.what, What::Called(_, Given::Groups { .. })))
}

/// Whether a step says in which order rows came, so that they must come as the files have them.
pub(crate) fn is_places(step: &Extension) -> bool {
    let node = step.node.as_any().downcast_ref::<Node>();
    node.is_some_and(|node| node.what == What::Placed)
}

impl Node {
    fn new(input: LogicalPlan, what: What) -> Result<Self> {
        let schema = what.schema(input.schema().as_arrow());
        let schema = DFSchema::try_from(Schema::clone(&schema))?;
        Ok(Self { input, what, schema: Arc::new(schema) })
    }
}

impl What {
    /// The columns that come out, if those of `input` go in.
    pub(super) fn schema(&self, input: &Schema) -> SchemaRef {
        let with = |new: &[Arc<Field>]| {
            let fields: Vec<Arc<Field>> = input.fields().iter().chain(new).cloned().collect();
            Arc::new(Schema::new(fields))
        };
        match self {
            Self::Called(function, Given::Rows { .. }) => with(function.columns.fields()),
            Self::Called(function, _) => function.columns.clone(),
            Self::Placed => with(&[Arc::new(Field::new(places::COLUMN, DataType::Int64, false))]),
        }
    }

    /// How many columns are added to those of the input; nothing if none of these stays.
    fn added(&self) -> Option<usize> {
        match self {
            Self::Called(function, Given::Rows { .. }) => Some(function.columns.fields().len()),
            Self::Called(..) => None,
            Self::Placed => Some(1),
        }
    }
}

impl UserDefinedLogicalNodeCore for Node {
    fn name(&self) -> &'static str {
        match self.what {
            What::Called(..) => "Python",
            What::Placed => "Places",
        }
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Called(function, _) => write!(f, "Python: {}", function.code.name),
            What::Placed => f.write_str("Places"),
        }
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [input] = <[LogicalPlan; 1]>::try_from(inputs)
            .map_err(|_| DataFusionError::Internal("a step has one input".into()))?;
        Self::new(input, self.what.clone())
    }

    /// A function of single values needs no other columns than its own.
    fn necessary_children_exprs(&self, wanted: &[usize]) -> Option<Vec<Vec<usize>>> {
        self.what.added()?;
        let columns = self.input.schema().fields();
        let arguments: &[String] = match &self.what {
            What::Called(_, Given::Rows { arguments }) => arguments,
            _ => &[],
        };
        let is_needed = |place: usize| wanted.contains(&place) || arguments.contains(columns[place].name());
        Some(vec![(0..columns.len()).filter(|place| is_needed(*place)).collect()])
    }

    fn supports_limit_pushdown(&self) -> bool {
        self.what.added().is_some()
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        if self == other { Some(Ordering::Equal) } else { self.input.partial_cmp(&other.input) }
    }
}
