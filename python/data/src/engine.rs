use std::mem::forget;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::available_parallelism;

use cardoon_cluster::{Address, Client, Token};
use cardoon_engine::{Output, OutputFormat, Python as Interpreter, Settings, StoreOptions};
use cardoon_errors::{Code, Error};
use cardoon_frame::Frame;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::errors::raise;
use crate::progress::Progress;
use crate::table::Table;
use crate::waiting::wait;

/// Runs plans, in this process or on a cluster. Plans are JSON: those of the crate `cardoon-frame`.
#[pyclass(frozen, module = "cardoon_data._engine")]
pub(crate) struct Engine {
    runner: Arc<cardoon_engine::Engine>,
    cluster: Option<Arc<Client>>,
    /// Taken when the engine goes, so that nobody waits for its threads.
    runtime: Option<Runtime>,
    /// The one that made it.
    process: u32,
}

#[pymethods]
impl Engine {
    /// `memory`: bytes that the process may have resident; by default seven tenths of what there is. `threads`: those that
    /// work on a query; by default one for each processor. `spill_folder`: where goes what does not fit into the memory.
    /// `python` carries out functions, in `children` processes at once, by default one for each processor.
    /// `cluster`: the address of a scheduler whose executors carry out the plans, and `token` what it asks for.
    #[new]
    #[pyo3(signature = (memory=None, threads=None, spill_folder=None, cluster=None, token=None, python=None, children=None))]
    #[expect(clippy::too_many_arguments, reason = "in Python they are named")]
    fn new(
        py: Python<'_>,
        memory: Option<u64>,
        threads: Option<usize>,
        spill_folder: Option<PathBuf>,
        cluster: Option<&str>,
        token: Option<String>,
        python: Option<PathBuf>,
        children: Option<usize>,
    ) -> PyResult<Self> {
        let runtime = runtime(threads).map_err(|error| raise(&error))?;
        let children = children.unwrap_or_else(|| available_parallelism().map_or(1, Into::into));
        let python = python.map(|program| Interpreter::new(program, children));
        let settings = Settings { memory, threads, spill_folder, python, ..Settings::new() };
        let cluster = match cluster {
            Some(address) => Some(connect(py, &runtime, address, token)?),
            None => None,
        };
        let engine = match &cluster {
            Some(client) => cardoon_engine::Engine::on(client.clone(), settings),
            None => cardoon_engine::Engine::new(settings),
        };
        let runner = Arc::new(engine.map_err(|error| raise(&error))?);
        Ok(Self { runner, cluster, runtime: Some(runtime), process: std::process::id() })
    }

    /// All rows of a plan. Ctrl-C ends it. `progress` tells how far it is.
    #[pyo3(signature = (plan, progress=None))]
    fn collect(&self, py: Python<'_>, plan: &str, progress: Option<&Progress>) -> PyResult<Table> {
        let (engine, frame) = (self.one_query(progress), frame(plan)?);
        let (schema, batches) = wait(py, self.runtime()?, async move || engine.collect(&frame).await)?;
        Ok(Table::new(schema, batches))
    }

    /// A table of the columns of a plan, without rows. Files are looked at for their columns.
    fn schema(&self, py: Python<'_>, plan: &str) -> PyResult<Table> {
        let (engine, frame) = (self.runner.clone(), frame(plan)?);
        let schema = wait(py, self.runtime()?, async move || engine.schema(&frame).await)?;
        Ok(Table::new(schema, Vec::new()))
    }

    /// How a plan will be carried out, as text.
    fn explain(&self, py: Python<'_>, plan: &str) -> PyResult<String> {
        let (engine, frame) = (self.runner.clone(), frame(plan)?);
        wait(py, self.runtime()?, async move || engine.explain(&frame).await)
    }

    /// Writes the rows of a plan to a file and answers how many there are. `format` is `csv`, `json`, `jsonl` or `parquet`.
    /// `store_options`: a name that [`keep_store_options`] has given.
    #[pyo3(signature = (plan, path, format, progress=None, store_options=None))]
    fn write(
        &self,
        py: Python<'_>,
        plan: &str,
        path: PathBuf,
        format: &str,
        progress: Option<&Progress>,
        store_options: Option<String>,
    ) -> PyResult<u64> {
        let (engine, frame) = (self.one_query(progress), frame(plan)?);
        let output = Output { path, format: output_format(format)?, fence: None, store_options };
        let summary = wait(py, self.runtime()?, async move || engine.write(&frame, &output).await)?;
        Ok(summary.rows)
    }

    /// The first bytes of the first file that a scan means, after they were unpacked, at most as many as `most`.
    fn begin(&self, py: Python<'_>, scan: &str, most: usize) -> PyResult<Vec<u8>> {
        let (engine, frame) = (self.runner.clone(), frame(scan)?);
        wait(py, self.runtime()?, async move || engine.begin(&frame, most).await)
    }

    /// The executors of the cluster that are alive: address, threads. There are none without a cluster.
    fn executors(&self, py: Python<'_>) -> PyResult<Vec<(String, usize)>> {
        let Some(client) = self.cluster.clone() else { return Ok(Vec::new()) };
        let state = wait(py, self.runtime()?, async move || client.state().await)?;
        let each = state.executors.into_iter();
        Ok(each.map(|it| (format!("tcp://{}", Address::new(it.host, it.port)), it.threads)).collect())
    }
}

impl Engine {
    /// The engine for a query that `progress` is going to tell of.
    fn one_query(&self, progress: Option<&Progress>) -> Arc<cardoon_engine::Engine> {
        let engine = Arc::new(self.runner.for_query());
        if let Some(progress) = progress {
            progress.follow(engine.clone());
        }
        engine
    }

    fn runtime(&self) -> PyResult<&Runtime> {
        self.runtime.as_ref().ok_or_else(|| raise(&Error::new(Code::Internal, "the engine is gone")))
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        if self.process == std::process::id() {
            runtime.shutdown_background();
        } else {
            // A fork has no threads that could end, and the files are not its own.
            forget((runtime, self.runner.clone(), self.cluster.clone()));
        }
    }
}

/// Keeps options of an object store, an object of JSON, and answers the name by which plans and outputs refer to them.
#[pyfunction]
pub(crate) fn keep_store_options(options: &str) -> PyResult<String> {
    let options = StoreOptions::from_json(options).map_err(|error| raise(&error))?;
    cardoon_engine::keep_store_options(options).map_err(|error| raise(&error))
}

/// Stack of each thread, in bytes: planning goes as deep as the query does. Only what is used is taken.
const STACK: usize = 256 << 20;

fn runtime(threads: Option<usize>) -> cardoon_errors::Result<Runtime> {
    let mut builder = Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads.max(1));
    }
    let built = builder.thread_name("cardoon-data").thread_stack_size(STACK).enable_all().build();
    built.map_err(|error| Error::new(Code::Internal, "cannot start a runtime").source(error))
}

fn connect(py: Python<'_>, runtime: &Runtime, address: &str, token: Option<String>) -> PyResult<Arc<Client>> {
    let address: Address = address.parse().map_err(|error| raise(&error))?;
    let token = token.map(Token::new).transpose().map_err(|error| raise(&error))?;
    wait(py, runtime, async move || Client::connect(address, token).await).map(Arc::new)
}

fn frame(plan: &str) -> PyResult<Frame> {
    serde_json::from_str(plan).map_err(|error| {
        let hint = "a very long chain of steps can be cut with persist()";
        raise(&Error::new(Code::BadQuery, "the plan cannot be read").source(error).hint(hint))
    })
}

fn output_format(format: &str) -> PyResult<OutputFormat> {
    match format {
        "csv" => Ok(OutputFormat::Csv),
        "json" => Ok(OutputFormat::Json),
        "jsonl" => Ok(OutputFormat::JsonLines),
        "parquet" => Ok(OutputFormat::Parquet),
        other => {
            let error = Error::new(Code::NoFormat, format!("nothing is written as {other:?}"));
            Err(raise(&error.hint("formats are csv, json, jsonl and parquet")))
        }
    }
}
