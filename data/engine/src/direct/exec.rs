use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray as _, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, PlanProperties};
use futures_util::stream::Fuse;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::groups::Groups;
use super::rest::Rest;
use crate::errors;

/// The first half of a grouping by one whole number, for each partition of its input.
pub(super) struct DirectAggregateExec {
    /// The engine's own operator, which groups what lies too far apart.
    usual: Arc<dyn ExecutionPlan>,
    metrics: ExecutionPlanMetricsSet,
}

impl DirectAggregateExec {
    pub(super) fn of(usual: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { usual, metrics: ExecutionPlanMetricsSet::new() })
    }

    fn usual(&self) -> Result<&AggregateExec> {
        let usual = self.usual.downcast_ref::<AggregateExec>();
        usual.ok_or_else(|| {
            DataFusionError::External(Box::new(errors::internal("a grouping is none any more")))
        })
    }
}

/// The groups of one partition so far.
struct Partition {
    usual: Arc<dyn ExecutionPlan>,
    input: Fuse<SendableRecordBatchStream>,
    schema: SchemaRef,
    key: Arc<dyn PhysicalExpr>,
    /// The arguments of each aggregate.
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
    values: Vec<Box<dyn GroupsAccumulator>>,
    groups: Groups,
    found: Vec<usize>,
    memory: MemoryReservation,
    context: Arc<TaskContext>,
    metrics: BaselineMetrics,
}

/// What a partition gives out next.
enum Output {
    /// All rows were grouped, or there is no memory for more groups.
    Groups(RecordBatch),
    /// The operator that groups the rest, from the batch on that cannot be grouped here.
    Rest(RecordBatch),
    End,
}

impl Partition {
    fn new(exec: &DirectAggregateExec, partition: usize, context: Arc<TaskContext>) -> Result<Self> {
        let usual = exec.usual()?;
        let key = usual.group_expr().expr().first().map(|(key, _)| key.clone());
        let key = key.ok_or_else(|| DataFusionError::Internal("a grouping has no key".into()))?;
        let values: Result<Vec<_>> =
            usual.aggr_expr().iter().map(|value| value.create_groups_accumulator()).collect();
        Ok(Self {
            usual: exec.usual.clone(),
            input: usual.input().execute(partition, context.clone())?.fuse(),
            schema: usual.schema(),
            key,
            arguments: usual.aggr_expr().iter().map(|value| value.expressions()).collect(),
            values: values?,
            groups: Groups::default(),
            found: Vec::new(),
            memory: MemoryConsumer::new("DirectAggregate").register(context.memory_pool()),
            context,
            metrics: BaselineMetrics::new(&exec.metrics, partition),
        })
    }

    /// Groups until there is something to give out.
    async fn next(&mut self) -> Result<Output> {
        while let Some(batch) = self.input.next().await.transpose()? {
            let metrics = self.metrics.clone();
            let _timer = metrics.elapsed_compute().timer();
            if !self.group(&batch)? {
                return Ok(Output::Rest(batch));
            }
            if self.memory.try_resize(self.size()).is_err() {
                return Ok(Output::Groups(self.take()?));
            }
        }
        Ok(if self.groups.count() > 0 { Output::Groups(self.take()?) } else { Output::End })
    }

    fn group(&mut self, batch: &RecordBatch) -> Result<bool> {
        let keys = array(&self.key, batch)?;
        if !self.groups.find(keys.as_primitive::<Int64Type>(), &mut self.found) {
            return Ok(false);
        }
        for (arguments, value) in self.arguments.iter().zip(&mut self.values) {
            let arguments: Result<Vec<ArrayRef>> =
                arguments.iter().map(|argument| array(argument, batch)).collect();
            value.update_batch(&arguments?, &self.found, None, self.groups.count())?;
        }
        Ok(true)
    }

    fn size(&self) -> usize {
        let values: usize = self.values.iter().map(|value| value.size()).sum();
        self.groups.size() + self.found.capacity() * size_of::<usize>() + values
    }

    /// All groups, and begins anew.
    fn take(&mut self) -> Result<RecordBatch> {
        let mut columns = vec![self.groups.take()];
        for value in &mut self.values {
            columns.extend(value.state(EmitTo::All)?);
        }
        self.memory.free();
        Ok(RecordBatch::try_new(self.schema.clone(), columns)?)
    }

    /// The groups so far, if there are any, and then what the usual operator makes of `batch` and the rest.
    fn go_on_as_usual(mut self, batch: RecordBatch) -> Result<SendableRecordBatchStream> {
        let so_far = if self.groups.count() > 0 { Some(self.take()?) } else { None };
        let input = self.usual.children().first().map(|input| (*input).clone());
        let input = input.ok_or_else(|| DataFusionError::Internal("a grouping has no input".into()))?;
        let rows = stream::once(async { Ok(batch) }).chain(self.input);
        let rows = Box::pin(RecordBatchStreamAdapter::new(input.schema(), rows));
        let rest = Rest::new(rows, single(input.properties()));
        let usual = self.usual.replace_children(vec![Arc::new(rest)], anew())?;
        let rest = usual.execute(0, self.context)?;
        let rows = stream::iter(so_far.map(Ok)).chain(rest);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema, rows)))
    }
}

/// Properties of a step are worked out from its new inputs.
fn anew() -> ReplaceChildrenOptions {
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)
}

fn array(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expr.evaluate(batch)?.into_array(batch.num_rows())
}

/// The properties of an input that has one partition only.
fn single(properties: &PlanProperties) -> Arc<PlanProperties> {
    let one = datafusion::physical_plan::Partitioning::UnknownPartitioning(1);
    Arc::new(properties.clone().with_partitioning(one))
}

/// Gives out the batches of `partition`, each no longer than others expect.
fn batches(partition: Partition) -> impl futures_util::Stream<Item = Result<RecordBatch>> + Send {
    let rows = partition.context.session_config().batch_size();
    stream::try_unfold(Some(partition), async |partition| {
        let Some(mut partition) = partition else { return Ok(None) };
        let output: SendableRecordBatchStream = match partition.next().await? {
            Output::End => return Ok(None),
            Output::Rest(batch) => return Ok(Some((partition.go_on_as_usual(batch)?, None))),
            Output::Groups(batch) => {
                let one = stream::once(async { Ok(batch) });
                Box::pin(RecordBatchStreamAdapter::new(partition.schema.clone(), one))
            }
        };
        Ok::<_, DataFusionError>(Some((output, Some(partition))))
    })
    .try_flatten()
    .map_ok(move |batch| stream::iter(slices(batch, rows).map(Ok)))
    .try_flatten()
}

fn slices(batch: RecordBatch, rows: usize) -> impl Iterator<Item = RecordBatch> {
    let rows = rows.max(1);
    (0..batch.num_rows()).step_by(rows).map(move |at| batch.slice(at, rows.min(batch.num_rows() - at)))
}

impl ExecutionPlan for DirectAggregateExec {
    fn name(&self) -> &'static str {
        "DirectAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.usual.properties()
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        vec![Distribution::UnspecifiedDistribution]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.usual.children()
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.usual.apply_expressions(visit)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::of(self.usual.clone().replace_children(children, options)?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, anew())
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Self::of(self.usual.clone().reset_state()?))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.usual.schema();
        let output = self.metrics.clone();
        let rows = BaselineMetrics::new(&output, partition);
        let batches = batches(Partition::new(self, partition, context)?)
            .inspect_ok(move |batch| rows.output_rows().add(batch.num_rows()));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl fmt::Debug for DirectAggregateExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectAggregateExec").field("usual", &self.usual).finish_non_exhaustive()
    }
}

impl DisplayAs for DirectAggregateExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.usual.downcast_ref::<AggregateExec>() {
            Some(usual) => {
                f.write_str("Direct")?;
                usual.fmt_as(kind, f)
            }
            None => f.write_str("DirectAggregateExec"),
        }
    }
}
