use std::any::Any;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};

use super::node::{self, What};
use super::rows;
use crate::steps;

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
pub(crate) struct PlacesExec {
    input: Arc<dyn ExecutionPlan>,
    /// Where each partition begins. An executor has few of them, which it numbers anew, so that it has to be told.
    begins: Option<Vec<Begin>>,
    properties: Arc<PlanProperties>,
}

/// A file, and the byte of it at which a partition begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Begin(String, i64);

impl PlacesExec {
    pub(super) fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let of_input = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(What::Placed.schema(&input.schema())),
            Partitioning::UnknownPartitioning(of_input.partitioning.partition_count()),
            of_input.emission_type,
            of_input.boundedness,
        );
        Self { input, begins: None, properties: Arc::new(properties) }
    }

    /// The number of a partition among those of all executors.
    fn number(&self, partition: usize) -> usize {
        let of_all = || {
            let own = begins(&self.input)?.into_iter().nth(partition)?;
            self.begins.as_ref()?.iter().position(|begin| *begin == own)
        };
        of_all().unwrap_or(partition)
    }
}

/// Where the partitions of `plan` begin, if they read files.
fn begins(plan: &Arc<dyn ExecutionPlan>) -> Option<Vec<Begin>> {
    if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
        let source = (source.data_source().as_ref() as &dyn Any).downcast_ref::<FileScanConfig>()?;
        return Some(source.file_groups.iter().map(begin).collect());
    }
    match plan.children().as_slice() {
        [input] => begins(input),
        _ => None,
    }
}

fn begin(group: &FileGroup) -> Begin {
    let first = group.files().first();
    let path = first.map(|file| file.object_meta.location.to_string());
    let start = first.and_then(|file| file.range.as_ref()).map(|range| range.start);
    Begin(path.unwrap_or_default(), start.unwrap_or_default())
}

/// The step for an executor; nothing if `plan` is another one.
pub(crate) fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>> {
    let Some(step) = plan.downcast_ref::<PlacesExec>() else { return Ok(None) };
    // The scheduler sends on what it was told: it has cut the input already.
    let begins = step.begins.clone().or_else(|| begins(&step.input));
    serde_json::to_vec(&begins).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// What [`encode`] has encoded, over `input`.
pub(crate) fn decode(sent: &[u8], input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let begins = serde_json::from_slice(sent).map_err(|error| DataFusionError::External(Box::new(error)))?;
    Ok(Arc::new(PlacesExec { begins, ..PlacesExec::new(input) }))
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

    fn with_new_children(
        self: Arc<Self>,
        inputs: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self { begins: self.begins.clone(), ..Self::new(steps::only(inputs)?) }))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let mut next = ROWS * self.number(partition) as i64;
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
