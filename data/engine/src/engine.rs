use std::sync::Arc;

use cardoon_errors::Result;
use cardoon_frame::Frame;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::tables::{self, Tables};
use crate::{Output, Progress, Settings, errors, lower, order, output, session};

/// Columns that one query widens, at most, before it is given up.
const WIDENED: u64 = 1000;

/// Runs frames on this machine.
pub struct Engine {
    settings: Settings,
    runtime: Arc<RuntimeEnv>,
    tables: Arc<Tables>,
}

/// The rows of a query, in batches as they come.
pub struct Rows {
    schema: SchemaRef,
    first: Option<RecordBatch>,
    rest: SendableRecordBatchStream,
}

/// What a query that wrote files has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    pub rows: u64,
    pub files: usize,
}

impl Engine {
    /// Errors with [`Code::MemoryTooSmall`] if the limit is below the least one.
    pub fn new(settings: Settings) -> Result<Self> {
        let runtime = session::runtime(&settings)?;
        let tables = Arc::new(Tables::new(&settings));
        Ok(Self { settings, runtime, tables })
    }

    /// Starts `frame` and waits for its first rows. Until then a column that turns out to hold something else than its
    /// samples is widened, and the query starts again.
    pub async fn run(&self, frame: &Frame) -> Result<Rows> {
        self.tables.watch().begin();
        loop {
            match self.start(frame).await {
                Ok(rows) => return Ok(rows),
                Err(error) => self.widen(error)?,
            }
        }
    }

    /// All rows of `frame`. Widens columns to the end.
    pub async fn collect(&self, frame: &Frame) -> Result<(SchemaRef, Vec<RecordBatch>)> {
        self.tables.watch().begin();
        loop {
            match self.collected(frame).await {
                Ok(collected) => return Ok(collected),
                Err(error) => self.widen(error)?,
            }
        }
    }

    /// Writes the rows of `frame` to files. They appear under their names when they are whole.
    pub async fn write(&self, frame: &Frame, output: &Output) -> Result<Summary> {
        tables::may_write(&output.path, &self.settings.roots)?;
        let mut rows = self.run(frame).await?;
        output::write(&mut rows, output).await
    }

    /// How the query will be carried out, as text.
    pub async fn explain(&self, frame: &Frame) -> Result<String> {
        let plan = self.plan(frame).await.map_err(errors::coded)?;
        let physical = plan.create_physical_plan().await.map_err(errors::coded)?;
        Ok(datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string())
    }

    /// The columns of `frame`.
    pub async fn schema(&self, frame: &Frame) -> Result<SchemaRef> {
        let plan = self.plan(frame).await.map_err(errors::coded)?;
        Ok(Arc::new(plan.schema().as_arrow().clone()))
    }

    /// How far the query has come that runs, or has run last.
    pub fn progress(&self) -> Progress {
        self.tables.watch().progress()
    }

    async fn plan(&self, frame: &Frame) -> Result<DataFrame, DataFusionError> {
        order::kept(lower::frame(&self.session(), frame).await?)
    }

    async fn start(&self, frame: &Frame) -> Result<Rows, DataFusionError> {
        let plan = self.plan(frame).await?;
        let context = Arc::new(plan.task_ctx());
        let plan = plan.create_physical_plan().await?;
        self.tables.watch().follow(plan.clone());
        let mut rest = execute_stream(plan, context)?;
        let first = rest.next().await.transpose()?;
        Ok(Rows { schema: rest.schema(), first, rest })
    }

    async fn collected(&self, frame: &Frame) -> Result<(SchemaRef, Vec<RecordBatch>), DataFusionError> {
        let Rows { schema, first, rest } = self.start(frame).await?;
        let mut batches: Vec<RecordBatch> = first.into_iter().collect();
        batches.extend(rest.try_collect::<Vec<_>>().await?);
        Ok((schema, batches))
    }

    /// Remembers the wider kind of a column if that is what `error` asks for.
    fn widen(&self, error: DataFusionError) -> Result<()> {
        match errors::disagreement(&error) {
            Some(found) if self.tables.widen(found) && self.tables.watch().restart() <= WIDENED => Ok(()),
            _ => Err(errors::coded(error)),
        }
    }

    fn session(&self) -> SessionContext {
        session::session(&self.settings, &self.runtime, &self.tables)
    }
}

impl Rows {
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next batch, none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        self.rest.next().await.transpose().map_err(errors::coded)
    }
}
