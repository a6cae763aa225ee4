use std::sync::{Arc, PoisonError};

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::{
    AggregateExec, AggregateInputMode, AggregateMode, AggregateOutputMode, aggregate_expressions,
};
use datafusion::physical_plan::metrics::BaselineMetrics;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, PlanProperties};
use futures_util::stream::Fuse;
use futures_util::{StreamExt as _, stream};

use super::exec::Rests;
use super::groups::Groups;
use super::rest::Rest;
use crate::{errors, steps};

/// The groups of one partition so far.
pub(super) struct Partition {
    usual: Arc<AggregateExec>,
    input: Fuse<SendableRecordBatchStream>,
    mode: AggregateMode,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    kinds: Vec<DataType>,
    /// The arguments of each aggregate.
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    values: Vec<Box<dyn GroupsAccumulator>>,
    groups: Groups,
    found: Vec<usize>,
    memory: MemoryReservation,
    context: Arc<TaskContext>,
    metrics: BaselineMetrics,
    rests: Rests,
}

impl Partition {
    pub(super) fn new(
        usual: &AggregateExec,
        partition: usize,
        context: Arc<TaskContext>,
        metrics: BaselineMetrics,
        rests: Rests,
    ) -> Result<Self> {
        let kinds = kinds(usual)?;
        let keys = usual.group_expr().expr().iter().map(|(key, _)| key.clone());
        let values = usual.aggr_expr().iter().map(|value| value.create_groups_accumulator());
        Ok(Self {
            usual: Arc::new(usual.clone()),
            input: usual.input().execute(partition, context.clone())?.fuse(),
            mode: *usual.mode(),
            keys: keys.collect(),
            arguments: aggregate_expressions(usual.aggr_expr(), usual.mode(), kinds.len())?,
            values: values.collect::<Result<_>>()?,
            groups: Groups::of(&kinds).ok_or_else(|| internal("a grouping has other keys now"))?,
            kinds,
            found: Vec::new(),
            memory: MemoryConsumer::new("DirectAggregate").register(context.memory_pool()),
            context,
            metrics,
            rests,
        })
    }

    /// All groups, as the operator gives them out.
    pub(super) async fn run(mut self) -> Result<SendableRecordBatchStream> {
        while let Some(batch) = self.input.next().await.transpose()? {
            let metrics = self.metrics.clone();
            let _timer = metrics.elapsed_compute().timer();
            if !self.group(&batch)? {
                return self.go_on_as_usual(Some(batch));
            }
            if self.memory.try_resize(self.size()).is_err() {
                return self.go_on_as_usual(None);
            }
        }
        let schema = self.usual.schema();
        let (groups, memory) = (self.output()?, self.memory);
        let rows = self.context.session_config().batch_size();
        // What is given out lies in memory until the last of it is taken.
        let batches = slices(groups, rows).map(move |batch| {
            let _held = &memory;
            Ok(batch)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches))))
    }

    fn group(&mut self, batch: &RecordBatch) -> Result<bool> {
        let keys: Vec<ArrayRef> = self.keys.iter().map(|key| array(key, batch)).collect::<Result<_>>()?;
        if !self.groups.find(&keys, &mut self.found)? {
            return Ok(false);
        }
        let count = self.groups.count();
        for (arguments, value) in self.arguments.iter().zip(&mut self.values) {
            let arguments: Result<Vec<ArrayRef>> =
                arguments.iter().map(|argument| array(argument, batch)).collect();
            match self.mode.input_mode() {
                AggregateInputMode::Raw => value.update_batch(&arguments?, &self.found, None, count)?,
                AggregateInputMode::Partial => value.merge_batch(&arguments?, &self.found, count)?,
            }
        }
        Ok(true)
    }

    fn size(&self) -> usize {
        let values: usize = self.values.iter().map(|value| value.size()).sum();
        self.groups.size() + self.found.capacity() * size_of::<usize>() + values
    }

    fn output(&mut self) -> Result<RecordBatch> {
        if self.mode.output_mode() == AggregateOutputMode::Partial {
            return self.states(self.usual.schema());
        }
        let mut columns = self.groups.keys(&self.kinds)?;
        for value in &mut self.values {
            columns.push(value.evaluate(EmitTo::All)?);
        }
        self.batch(self.usual.schema(), columns)
    }

    /// The groups as the second half of a grouping takes them.
    fn states(&mut self, schema: SchemaRef) -> Result<RecordBatch> {
        let mut columns = self.groups.keys(&self.kinds)?;
        for value in &mut self.values {
            columns.extend(value.state(EmitTo::All)?);
        }
        self.batch(schema, columns)
    }

    fn batch(&self, schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
        let rows = RecordBatchOptions::new().with_row_count(Some(self.groups.count()));
        Ok(RecordBatch::try_new_with_options(schema, columns, &rows)?)
    }

    /// Has the usual operator group `batch` and the rest. What was grouped so far goes to whoever puts halves of groups
    /// together: the operator itself, if it is the second half, else the one after it.
    fn go_on_as_usual(mut self, batch: Option<RecordBatch>) -> Result<SendableRecordBatchStream> {
        let input = self.usual.children().first().map(|input| (*input).clone());
        let input = input.ok_or_else(|| internal("a grouping has no input"))?;
        let is_first = self.mode.input_mode() == AggregateInputMode::Raw;
        let schema = if is_first { self.usual.schema() } else { input.schema() };
        let so_far = self.states(schema)?;
        let so_far: Vec<_> = slices(so_far, self.context.session_config().batch_size()).map(Ok).collect();
        // The usual operator counts its own.
        self.memory.free();
        let (before, after) = if is_first { (vec![], so_far) } else { (so_far, vec![]) };
        let rows = stream::iter(before).chain(stream::iter(batch.map(Ok))).chain(self.input);
        let rows = Box::pin(RecordBatchStreamAdapter::new(input.schema(), rows));
        let rest = Rest::new(rows, single(input.properties()));
        let usual = steps::over(self.usual.clone(), vec![Arc::new(rest)])?;
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).push(usual.clone());
        let rows = stream::iter(after).chain(usual.execute(0, self.context)?);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.usual.schema(), rows)))
    }
}

/// The kinds of a grouping's keys.
pub(super) fn kinds(grouping: &AggregateExec) -> Result<Vec<DataType>> {
    let schema = grouping.input().schema();
    grouping.group_expr().expr().iter().map(|(key, _)| key.data_type(&schema)).collect()
}

pub(super) fn internal(message: &str) -> DataFusionError {
    DataFusionError::External(Box::new(errors::internal(message)))
}

fn array(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expr.evaluate(batch)?.into_array(batch.num_rows())
}

/// The properties of an input that has one partition only.
fn single(properties: &PlanProperties) -> Arc<PlanProperties> {
    let one = Partitioning::UnknownPartitioning(1);
    Arc::new(properties.clone().with_partitioning(one))
}

fn slices(batch: RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = rows.max(1);
    (0..batch.num_rows()).step_by(rows).map(move |at| batch.slice(at, rows.min(batch.num_rows() - at)))
}
