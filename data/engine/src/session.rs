//! What DataFusion is told once for every query.

use std::sync::Arc;

use cardoon_errors::{Code, Error, Result};
use datafusion::catalog::{DynamicFileCatalog, UrlTableFactory};
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SessionStateBuilder, context::SQLOptions};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::cluster::Cluster;
use crate::direct::DIRECT_GROUPS;
use crate::engine::Attempt;
use crate::memory;
use crate::nulls;
use crate::python::Planner;
use crate::shares::Shares;
use crate::stores::Registry;
use crate::tables::{NAMED_FILES, NAMED_FILES_AWAY, Tables};
use crate::{Children, Settings};

/// Rows in a batch, at most.
const BATCH_ROWS: usize = 8192;

/// The same where memory is short: whoever sorts needs room for two batches.
const FEW_ROWS: usize = 512;

/// What a sort keeps free for merging what it has spilled, where memory is short, in bytes.
const SORT_RESERVE: usize = 1 << 20;

/// The smaller side of a join is given to every thread if it has no more bytes than so many: then the larger side need not
/// be divided by its keys. Executors sort both sides instead, so that they can spill them.
const SHARED_BYTES: usize = 64 << 20;

/// The same in rows, where bytes are not known.
const SHARED_ROWS: usize = 4 << 20;

/// Memory and spilled files, shared by all queries of an engine.
pub fn runtime(settings: &Settings) -> Result<Arc<RuntimeEnv>> {
    let pool = Arc::new(FairSpillPool::new(memory::pool(settings.memory)?));
    let mode = match &settings.spill_folder {
        Some(folder) => DiskManagerMode::Directories(vec![folder.clone()]),
        None => DiskManagerMode::OsTmpDirectory,
    };
    RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .with_object_store_registry(Arc::<Registry>::default())
        .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode))
        .build_arc()
        .map_err(|error| Error::new(Code::QueryFailed, "the engine cannot be set up").source(error))
}

/// For who reads plans or looks at files and carries out nothing: where files and objects are found.
pub fn finding() -> Result<Arc<RuntimeEnv>, DataFusionError> {
    RuntimeEnvBuilder::new().with_object_store_registry(Arc::<Registry>::default()).build_arc()
}

/// A session for one query. A name that no table has is taken for the path of files.
pub(crate) fn session(
    settings: &Settings,
    runtime: &Arc<RuntimeEnv>,
    (tables, children): (&Arc<Tables>, &Arc<Children>),
    attempt: &Attempt,
) -> SessionContext {
    let mut config = config(settings.threads(), tables).with_extension(children.clone());
    let mut runtime = runtime.clone();
    if attempt.memory_is_short {
        config = short_of_memory(config, settings.threads());
        runtime = shared_out(&runtime);
    }
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_query_planner(Arc::new(Planner))
        .with_physical_optimizer_rules(rules());
    finished(state, tables)
}

/// A session for one query that executors carry out.
pub(crate) async fn on_cluster(
    cluster: &dyn Cluster,
    runtime: &Arc<RuntimeEnv>,
    tables: &Arc<Tables>,
    attempt: &Attempt,
) -> Result<SessionContext, DataFusionError> {
    let mut config = config(cluster.threads().await?, tables).with_extension(attempt.cuts.clone());
    if attempt.memory_is_short {
        config = little_at_a_time(config);
    }
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.clone())
        .with_default_features()
        .with_query_planner(Arc::new(Planner));
    Ok(finished(cluster.prepare(state, attempt.memory_is_short), tables))
}

fn config(threads: usize, tables: &Arc<Tables>) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads)
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false)
        .with_extension(tables.clone());
    let options = config.options_mut();
    // Columns are named as the files name them.
    options.sql_parser.enable_ident_normalization = false;
    options.optimizer.hash_join_single_partition_threshold = SHARED_BYTES;
    options.optimizer.hash_join_single_partition_threshold_rows = SHARED_ROWS;
    config
}

fn finished(state: SessionStateBuilder, tables: &Arc<Tables>) -> SessionContext {
    let state = state.build();
    let named = state.catalog_list().clone();
    let factory: Arc<dyn UrlTableFactory> = tables.clone();
    let catalogs = Arc::new(DynamicFileCatalog::new(named, factory));
    let rules = nulls::kept(state.optimizers());
    let state =
        SessionStateBuilder::from(state).with_catalog_list(catalogs).with_optimizer_rules(rules).build();
    SessionContext::new_with_state(state)
}

/// The part of a plan that an executor has got, with operators of ours where they are better, and errors that name the
/// file. The rows are the same.
pub fn improved(
    plan: Arc<dyn ExecutionPlan>,
    config: &SessionConfig,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let plan = DIRECT_GROUPS.optimize(plan, config.options())?;
    NAMED_FILES_AWAY.optimize(plan, config.options())
}

/// The engine's rules for plans, and ours after them.
fn rules() -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules = PhysicalOptimizer::new().rules;
    rules.push(Arc::new(DIRECT_GROUPS));
    rules.push(Arc::new(NAMED_FILES));
    rules
}

/// Joins that sort both sides. Four sorts may share what a hash table did not fit into, so each takes little at a time.
/// With a single partition the engine would make a hash table all the same.
fn short_of_memory(mut config: SessionConfig, threads: usize) -> SessionConfig {
    let options = config.options_mut();
    options.optimizer.prefer_hash_join = false;
    options.execution.target_partitions = threads.div_ceil(2).max(2);
    little_at_a_time(config)
}

/// Whether a query begins again that had too little memory; executors are told by this.
pub fn is_short_of_memory(config: &SessionConfig) -> bool {
    config.options().execution.sort_spill_reservation_bytes == SORT_RESERVE
}

/// The same runtime, in which each sort has a share of the memory: for queries that begin again with little of it.
pub fn shared_out(runtime: &RuntimeEnv) -> Arc<RuntimeEnv> {
    let shares = Arc::new(Shares::new(runtime.memory_pool.clone()));
    Arc::new(RuntimeEnv { memory_pool: shares, ..runtime.clone() })
}

/// For sorts that share little memory.
fn little_at_a_time(mut config: SessionConfig) -> SessionConfig {
    config.options_mut().execution.sort_spill_reservation_bytes = SORT_RESERVE;
    config.with_batch_size(FEW_ROWS)
}

/// Reading only: a query neither makes tables nor writes files.
pub(crate) fn only_queries() -> SQLOptions {
    SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false)
}
