use std::sync::{Arc, Mutex, PoisonError};

use cardoon_errors::{Code, Error, Result};
use cardoon_frame::Frame;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::cluster::Cluster;
use crate::output::Failure;
use crate::progress::Watch;
use crate::tables::{Cuts, Place, Tables};
use crate::{Children, Output, Progress, Settings, errors, lower, order, output, session};

/// How often a query begins again, at most: once for each column that is widened.
const RESTARTS: u64 = 1000;

/// How often a query begins again whose executors were lost, at most.
const LOSSES: u32 = 3;

/// Runs frames, in this process or on a cluster.
pub struct Engine {
    settings: Settings,
    runtime: Arc<RuntimeEnv>,
    tables: Arc<Tables>,
    /// Of this process; those of a cluster are its executors'.
    children: Arc<Children>,
    cluster: Option<Arc<dyn Cluster>>,
    /// Of the query that was begun last.
    last: Mutex<Arc<Watch>>,
}

/// The rows of a query, in batches as they come.
pub struct Rows {
    schema: SchemaRef,
    first: Option<RecordBatch>,
    rest: SendableRecordBatchStream,
}

/// How a query is tried.
#[derive(Clone, Default)]
pub(crate) struct Attempt {
    /// There was too little memory before: joins sort both sides and spill them, and sorts take little at a time, which is
    /// slower.
    pub(crate) memory_is_short: bool,
    /// How often executors were lost before.
    losses: u32,
    /// Of all attempts.
    pub(crate) cuts: Arc<Cuts>,
    watch: Arc<Watch>,
}

/// What a query that wrote files has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub rows: u64,
    pub files: usize,
}

impl Engine {
    /// Errors with [`Code::MemoryTooSmall`] if the limit is below the least one, and with [`Code::BadStoreOptions`] if a root
    /// is a URL of no store.
    pub fn new(settings: Settings) -> Result<Self> {
        let runtime = session::runtime(&settings)?;
        let tables = Arc::new(Tables::new(&settings, Place::Here)?);
        let children = Arc::new(Children::new(settings.python.clone(), settings.memory)?);
        Ok(Self { settings, runtime, tables, children, cluster: None, last: Mutex::default() })
    }

    /// An engine whose queries `cluster` carries out. Threads and memory are those of its executors.
    pub fn on(cluster: Arc<dyn Cluster>, settings: Settings) -> Result<Self> {
        let tables = Arc::new(Tables::new(&settings, Place::Executors)?);
        Ok(Self { tables, cluster: Some(cluster), ..Self::new(settings)? })
    }

    /// The same engine for one query: [`Engine::progress`] then tells of nothing that others ask meanwhile.
    #[must_use]
    pub fn for_query(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            runtime: self.runtime.clone(),
            tables: self.tables.clone(),
            children: self.children.clone(),
            cluster: self.cluster.clone(),
            last: Mutex::default(),
        }
    }

    /// Starts `frame` and waits for its first rows. Until then a column that turns out to hold something else than its
    /// samples is widened, and the query starts again.
    pub async fn run(&self, frame: &Frame) -> Result<Rows> {
        let mut attempt = self.first_attempt();
        loop {
            match self.start(frame, &attempt).await {
                Ok(rows) => return Ok(rows),
                Err(error) => attempt = self.next_attempt(attempt, error)?,
            }
        }
    }

    /// All rows of `frame`. Widens columns to the end.
    pub async fn collect(&self, frame: &Frame) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        let mut attempt = self.first_attempt();
        loop {
            match self.collected(frame, &attempt).await {
                Ok(collected) => return Ok(collected),
                Err(error) => attempt = self.next_attempt(attempt, error)?,
            }
        }
    }

    /// Writes the rows of `frame` to a file, which appears under its name when it is whole. Widens columns to the end.
    pub async fn write(&self, frame: &Frame, output: &Output) -> Result<Summary> {
        self.tables.roots().may_write(&output.path)?;
        self.tables.may_use(output.store_options.as_deref())?;
        let mut attempt = self.first_attempt();
        loop {
            match self.written(frame, output, &attempt).await {
                Ok(summary) => return Ok(summary),
                Err(Failure::Output(error)) => return Err(error),
                Err(Failure::Query(error)) => attempt = self.next_attempt(attempt, error)?,
            }
        }
    }

    /// How the query will be carried out, as text.
    pub async fn explain(&self, frame: &Frame) -> Result<String> {
        let plan = self.plan(frame, &Attempt::default()).await.map_err(errors::coded)?;
        let physical = plan.create_physical_plan().await.map_err(errors::coded)?;
        Ok(datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string())
    }

    /// The columns of `frame`.
    pub async fn schema(&self, frame: &Frame) -> Result<SchemaRef> {
        let plan = self.plan(frame, &Attempt::default()).await.map_err(errors::coded)?;
        Ok(Arc::new(plan.schema().as_arrow().clone()))
    }

    /// The first bytes, `most` at most, of the first file of a scan, after they were unpacked.
    pub async fn begin(&self, frame: &Frame, most: usize) -> Result<Vec<u8>> {
        match frame {
            Frame::Scan(scan) => self.tables.begin(scan, most).await,
            _ => Err(Error::new(Code::BadQuery, "only files have a begin")),
        }
    }

    /// How far the query has come that was begun last, or how far it came.
    pub fn progress(&self) -> Progress {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).progress()
    }

    async fn plan(&self, frame: &Frame, attempt: &Attempt) -> Result<DataFrame, DataFusionError> {
        let session = if let Some(cluster) = &self.cluster {
            session::on_cluster(&**cluster, &self.runtime, &self.tables, attempt).await?
        } else {
            session::session(&self.settings, &self.runtime, (&self.tables, &self.children), attempt)
        };
        let place = if self.cluster.is_some() { Place::Executors } else { Place::Here };
        order::kept(lower::frame(&session, frame).await?, place)
    }

    async fn start(&self, frame: &Frame, attempt: &Attempt) -> Result<Rows, DataFusionError> {
        let plan = self.plan(frame, attempt).await?;
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        let mut rest = self.carry_out(plan, context, &attempt.watch).await?;
        let first = rest.next().await.transpose()?;
        Ok(Rows { schema: rest.schema(), first, rest })
    }

    async fn carry_out(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        context: Arc<TaskContext>,
        watch: &Arc<Watch>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        if let Some(cluster) = &self.cluster {
            let spill_folder = self.settings.spill_folder.as_deref();
            return cluster.run(plan, context.session_config(), spill_folder, watch).await;
        }
        watch.follow(plan.clone());
        execute_stream(plan, context)
    }

    async fn collected(
        &self,
        frame: &Frame,
        attempt: &Attempt,
    ) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let Rows { schema, first, rest } = self.start(frame, attempt).await?;
        let mut batches: Vec<RecordBatch> = first.into_iter().collect();
        batches.extend(rest.try_collect::<Vec<_>>().await?);
        Ok((schema, batches))
    }

    async fn written(&self, frame: &Frame, output: &Output, attempt: &Attempt) -> Result<Summary, Failure> {
        let mut rows = self.start(frame, attempt).await.map_err(Failure::Query)?;
        output::write(&mut rows, output).await
    }

    fn first_attempt(&self) -> Attempt {
        let attempt = Attempt::default();
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = attempt.watch.clone();
        attempt
    }

    /// How to try again after `error`; that error, with a code, if there is nothing to try.
    fn next_attempt(&self, attempt: Attempt, error: DataFusionError) -> Result<Attempt> {
        let watch = attempt.watch.clone();
        let (next, times) = match errors::disagreement(&error) {
            Some(found) if self.tables.widen(found) => (attempt, watch.restart()),
            None if !attempt.memory_is_short && errors::is_short_of_memory(&error) => {
                (Attempt { memory_is_short: true, ..attempt }, watch.restart())
            }
            None if attempt.losses < LOSSES && errors::was_lost(&error) => {
                (Attempt { losses: attempt.losses + 1, ..attempt }, watch.retry())
            }
            _ => return Err(errors::coded(error)),
        };
        if times > RESTARTS {
            return Err(errors::coded(error));
        }
        Ok(next)
    }
}

impl Rows {
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next batch, none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        self.read().await.map_err(errors::coded)
    }

    pub(crate) async fn read(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rest.next().await.transpose(),
        }
    }
}
