use std::fmt;
use std::sync::Arc;

use cardoon_frame::PythonFunction;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, LexRequirement, OrderingRequirements, PhysicalExpr,
    PhysicalSortRequirement,
};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, Partitioning, PlanProperties,
};
use futures_util::{TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::children::Children;
use super::chunk::{self, Chunk};
use super::failure;
use super::function::{Function, Given};
use super::interest::Wanted;
use super::node::What;
use super::rows;
use crate::errors::{self, IntoEngine as _};
use crate::steps;

/// Has children call a function.
#[derive(Debug, Clone)]
pub(crate) struct PythonExec {
    input: Arc<dyn ExecutionPlan>,
    function: Function,
    given: Given,
    /// The places of the columns whose values tell groups apart.
    keys: Vec<usize>,
    /// How rows were sorted when the query was planned. Nobody but the function may need it, so that it has to be asked for.
    sorted: Option<LexOrdering>,
    /// Whether an executor carries it out, whose errors have a way to go.
    is_away: bool,
    /// Tells when nobody waits for its rows; nothing if it is dropped then.
    wanted: Option<Wanted>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What is sent of it to an executor.
#[derive(Serialize, Deserialize)]
struct Sent {
    function: PythonFunction,
    /// What its column is called, if it makes a single one.
    name: Option<String>,
    given: Given,
}

impl PythonExec {
    /// The step as it is planned.
    pub(super) fn planned(input: Arc<dyn ExecutionPlan>, function: Function, given: Given) -> Result<Self> {
        let sorted = input.properties().output_ordering().cloned();
        Ok(Self { sorted, ..Self::new(input, function, given)? })
    }

    fn new(input: Arc<dyn ExecutionPlan>, function: Function, given: Given) -> Result<Self> {
        let columns = input.schema();
        let keys = match &given {
            Given::Groups { keys, .. } => places(&columns, keys)?,
            _ => Vec::new(),
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(What::Called(function.clone(), given.clone()).schema(&columns)),
            Partitioning::UnknownPartitioning(input.properties().partitioning.partition_count()),
            EmissionType::Incremental,
            input.properties().boundedness,
        );
        Ok(Self {
            input,
            function,
            given,
            keys,
            sorted: None,
            is_away: false,
            wanted: None,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The same step, which ends when `wanted` does.
    pub(super) fn wanted(&self, wanted: Wanted) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self { wanted: Some(wanted), ..self.clone() })
    }

    fn column(&self, name: &str) -> Option<Arc<dyn PhysicalExpr>> {
        let column = Column::new_with_schema(name, &self.input.schema()).ok()?;
        Some(Arc::new(column))
    }

    /// How the rows of groups come to stand together.
    fn order(&self) -> Option<OrderingRequirements> {
        let Given::Groups { keys, order } = &self.given else {
            return self.sorted.clone().map(OrderingRequirements::from);
        };
        let options = SortOptions { descending: false, nulls_first: false };
        let columns = keys.iter().chain(order).filter_map(|name| self.column(name));
        let by = columns.map(|column| PhysicalSortRequirement::new(column, Some(options)));
        LexRequirement::new(by).map(OrderingRequirements::new)
    }

    fn calls(&self, context: &TaskContext) -> Result<Calls> {
        let arguments = match &self.given {
            Given::Rows { arguments } => Some(places(&self.input.schema(), arguments)?),
            _ => None,
        };
        let children = context.session_config().get_extension::<Children>();
        let children = children.ok_or_else(|| failure::not_allowed(&self.function.code).into_engine())?;
        let (function, schema) = (self.function.clone(), self.schema());
        Ok(Calls {
            children,
            function,
            arguments,
            schema,
            batch_rows: context.session_config().batch_size(),
            wanted: self.wanted.clone(),
        })
    }
}

/// The places of columns by their names.
fn places(columns: &SchemaRef, names: &[String]) -> Result<Vec<usize>> {
    names.iter().map(|name| Ok(columns.index_of(name)?)).collect()
}

/// How chunks are given to children.
#[derive(Clone)]
struct Calls {
    children: Arc<Children>,
    function: Function,
    /// Columns that it is given; all if nothing is said.
    arguments: Option<Vec<usize>>,
    schema: SchemaRef,
    batch_rows: usize,
    wanted: Option<Wanted>,
}

impl Calls {
    /// A task of its own goes on while nobody asks for its answer: else two steps could wait for each other's children.
    async fn begun(self, chunk: Chunk) -> Result<impl Iterator<Item = Result<RecordBatch>>> {
        let rows = self.batch_rows;
        let wanted = self.wanted.clone();
        let made = tokio::select! {
            made = SpawnedTask::spawn(self.call(chunk)).join() => made,
            () = ended(wanted) => return Err(errors::internal("nobody waits for the answer").into_engine()),
        };
        let made = made.map_err(|error| DataFusionError::External(Box::new(error)))??;
        Ok(rows::short(made, rows).map(Ok))
    }

    async fn call(self, Chunk { first_row, batches }: Chunk) -> Result<Vec<RecordBatch>> {
        let rows = rows::encoded(&batches, self.arguments.as_deref())?;
        let kept = self.arguments.as_ref().map(|_| batches);
        let made = self.children.call(&self.function.code, first_row, rows).await;
        let made = rows::decoded(&made.map_err(errors::IntoEngine::into_engine)?, &self.function.columns)?;
        match kept {
            Some(batches) => rows::beside(batches, &made, &self.schema),
            None => Ok(made),
        }
    }
}

/// Waits until nobody waits any more, for ever if nobody tells.
async fn ended(wanted: Option<Wanted>) {
    match wanted {
        Some(mut wanted) => wanted.ended().await,
        None => std::future::pending().await,
    }
}

impl ExecutionPlan for PythonExec {
    fn name(&self) -> &'static str {
        "PythonExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn required_input_distribution(&self) -> Vec<Distribution> {
        let Given::Groups { keys, .. } = &self.given else {
            return vec![Distribution::UnspecifiedDistribution];
        };
        vec![Distribution::KeyPartitioned(keys.iter().filter_map(|name| self.column(name)).collect())]
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.order()]
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
        let new = Self::new(steps::only(inputs)?, self.function.clone(), self.given.clone())?;
        let wanted = self.wanted.clone();
        Ok(Arc::new(Self { is_away: self.is_away, sorted: self.sorted.clone(), wanted, ..new }))
    }

    /// Several children work at once, and their answers come in the order of the chunks.
    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let calls = self.calls(&context)?;
        let settings =
            calls.children.settings(&self.function.code).map_err(errors::IntoEngine::into_engine)?;
        let partitions = self.properties.partitioning.partition_count();
        let at_once = settings.children.div_ceil(partitions.max(1));
        let enough = settings.chunk_bytes;
        let input = self.input.execute(partition, context)?;
        let counted = BaselineMetrics::new(&self.metrics, partition);
        let is_away = self.is_away;
        let made = chunk::of(input, enough, self.keys.clone())
            .map_ok(move |chunk| calls.clone().begun(chunk))
            .try_buffered(at_once)
            .map_ok(stream::iter)
            .try_flatten()
            .inspect_ok(move |batch| counted.output_rows().add(batch.num_rows()))
            .map_err(move |error| if is_away { errors::to_be_carried(error) } else { error });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), made)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl DisplayAs for PythonExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PythonExec: {}", self.function.code.name)
    }
}

/// The step for an executor; nothing if `plan` is another one.
pub(crate) fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>> {
    let Some(step) = plan.downcast_ref::<PythonExec>() else { return Ok(None) };
    let name = match &step.given {
        Given::Rows { .. } => step.function.columns.fields().first().map(|field| field.name().clone()),
        _ => None,
    };
    let sent = Sent { function: PythonFunction::clone(&step.function.code), name, given: step.given.clone() };
    serde_json::to_vec(&sent).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// What [`encode`] has encoded, over `input`.
pub(crate) fn decode(sent: &[u8], input: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let Sent { function, name, given } =
        serde_json::from_slice(sent).map_err(|error| DataFusionError::External(Box::new(error)))?;
    let function = Function::new(&function)?;
    let function = match name {
        Some(name) => function.named(&name),
        None => function,
    };
    Ok(Arc::new(PythonExec { is_away: true, ..PythonExec::new(input, function, given)? }))
}
