use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures_util::StreamExt as _;

use super::node::{self, What};
use super::rows;

/// The column that holds the place of a row.
pub(super) const COLUMN: &str = "__cardoon_place__";

/// Rows that a partition has, at most: the rest of the number is that of the partition.
const ROWS: i64 = 1 << 40;

/// `input` with a column that is sorted as its rows come, and the name of that column.
pub(crate) fn with_places(input: DataFrame) -> Result<(DataFrame, Vec<String>)> {
    Ok((node::added(input, What::Placed)?, vec![COLUMN.to_owned()]))
}

/// Adds to each row the number of its partition and its number in it.
#[derive(Debug)]
pub(super) struct PlacesExec {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl PlacesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let of_input = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(What::Placed.schema(&input.schema())),
            Partitioning::UnknownPartitioning(of_input.partitioning.partition_count()),
            of_input.emission_type,
            of_input.boundedness,
        );
        Self { input, properties: Arc::new(properties) }
    }
}

impl ExecutionPlan for PlacesExec {
    fn name(&self) -> &'static str {
        "PlacesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    /// Rows that changed hands before would have lost their order.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Internal("a step has one input".into()))?;
        Ok(Arc::new(Self::new(input)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let mut next = ROWS * partition as i64;
        let to = schema.clone();
        let placed = self.input.execute(partition, context)?.map(move |batch| {
            let batch = batch?;
            let first = next;
            next += batch.num_rows() as i64;
            with_column(&batch, first..next, &to)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, placed)))
    }
}

fn with_column(
    batch: &RecordBatch,
    places: std::ops::Range<i64>,
    schema: &datafusion::arrow::datatypes::SchemaRef,
) -> Result<RecordBatch> {
    let places: ArrayRef = Arc::new(Int64Array::from_iter_values(places));
    rows::of(schema.clone(), [batch.columns(), &[places]].concat(), batch.num_rows())
}

impl DisplayAs for PlacesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlacesExec")
    }
}
