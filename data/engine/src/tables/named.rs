//! The engine's readers of Parquet and JSON do not say which file they could not read. Here they do.
//!
//! They read a file in steps: a plan of it, which may have to wait for bytes, and pieces that give out rows. Each of these
//! is wrapped, with the name of its file.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_datasource::morsel::{Morsel, MorselPlan, MorselPlanner, Morselizer};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use url::Url;

use super::Place;
use crate::errors;
use crate::steps::{Replace, Step};

/// What they read. The reader of CSV is ours, and names its files.
const NAMELESS: [&str; 2] = ["parquet", "json"];

/// The rule that puts names into the plan of a query. It is to be the last one, since the others know the readers by their
/// types.
pub(crate) const NAMED_FILES: Replace =
    Replace { name: "named_files", instead: |step| Ok(named(step, Place::Here)) };

/// The same for the part of a plan that an executor has got.
pub(crate) const NAMED_FILES_AWAY: Replace =
    Replace { name: "named_files", instead: |step| Ok(named(step, Place::Executors)) };

/// A reader of files, each of which it will name.
#[derive(Clone)]
struct NamedSource {
    inner: Arc<dyn FileSource>,
    place: Place,
}

#[derive(Debug)]
struct NamedMorselizer {
    inner: Box<dyn Morselizer>,
    /// What stands before the path of a file.
    store: String,
    place: Place,
}

/// A plan or a piece of a file.
#[derive(Debug)]
struct Named<T> {
    inner: T,
    file: Arc<File>,
}

#[derive(Debug)]
struct File {
    name: String,
    place: Place,
}

fn named(step: &Step, place: Place) -> Option<Step> {
    let exec = step.downcast_ref::<DataSourceExec>()?;
    let mut scan = exec.data_source().downcast_ref::<FileScanConfig>()?.clone();
    if !NAMELESS.contains(&scan.file_source.file_type()) {
        return None;
    }
    scan.file_source = Arc::new(NamedSource { inner: scan.file_source.clone(), place });
    Some(Arc::new(exec.clone().with_data_source(Arc::new(scan))))
}

impl FileSource for NamedSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        self.inner.create_file_opener(store, scan, partition)
    }

    fn create_morselizer(
        &self,
        store: Arc<dyn ObjectStore>,
        scan: &FileScanConfig,
        partition: usize,
    ) -> Result<Box<dyn Morselizer>> {
        let inner = self.inner.create_morselizer(store, scan, partition)?;
        let store = begin(scan.object_store_url.as_ref());
        Ok(Box::new(NamedMorselizer { inner, store, place: self.place }))
    }

    fn table_schema(&self) -> &TableSchema {
        self.inner.table_schema()
    }

    fn with_batch_size(&self, rows: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { inner: self.inner.with_batch_size(rows), ..self.clone() })
    }

    fn filter(&self) -> Option<Arc<dyn PhysicalExpr>> {
        self.inner.filter()
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        self.inner.projection()
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        self.inner.metrics()
    }

    fn file_type(&self) -> &str {
        self.inner.file_type()
    }

    fn fmt_extra(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_extra(kind, f)
    }

    fn reorder_files(&self, files: Vec<PartitionedFile>) -> Vec<PartitionedFile> {
        self.inner.reorder_files(files)
    }

    fn apply_expressions(
        &self,
        each: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.inner.apply_expressions(each)
    }
}

impl Morselizer for NamedMorselizer {
    fn plan_file(&self, part: PartitionedFile) -> Result<Box<dyn MorselPlanner>> {
        let name = format!("{}{}", self.store, part.object_meta.location);
        let file = Arc::new(File { name, place: self.place });
        let planner = self.inner.plan_file(part).map_err(|error| file.failed(error))?;
        Ok(file.planner(planner))
    }
}

impl MorselPlanner for Named<Box<dyn MorselPlanner>> {
    fn plan(self: Box<Self>) -> Result<Option<MorselPlan>> {
        let Self { inner, file } = *self;
        let plan = inner.plan().map_err(|error| file.failed(error))?;
        Ok(plan.map(|plan| file.plan(plan)))
    }
}

impl Morsel for Named<Box<dyn Morsel>> {
    fn into_stream(self: Box<Self>) -> BoxStream<'static, Result<RecordBatch>> {
        let Self { inner, file } = *self;
        inner.into_stream().map(move |batch| batch.map_err(|error| file.failed(error))).boxed()
    }
}

impl File {
    fn plan(self: &Arc<Self>, mut plan: MorselPlan) -> MorselPlan {
        let pieces = plan.take_morsels().into_iter().map(|piece| self.piece(piece)).collect();
        let planners = plan.take_ready_planners().into_iter().map(|planner| self.planner(planner)).collect();
        let named = MorselPlan::new().with_morsels(pieces).with_planners(planners);
        let Some(waiting) = plan.take_pending_planner() else { return named };
        let file = self.clone();
        named.with_pending_planner(async move {
            let planner = waiting.await.map_err(|error| file.failed(error))?;
            Ok(file.planner(planner))
        })
    }

    fn planner(self: &Arc<Self>, inner: Box<dyn MorselPlanner>) -> Box<dyn MorselPlanner> {
        Box::new(Named { inner, file: self.clone() })
    }

    fn piece(self: &Arc<Self>, inner: Box<dyn Morsel>) -> Box<dyn Morsel> {
        Box::new(Named { inner, file: self.clone() })
    }

    fn failed(&self, error: DataFusionError) -> DataFusionError {
        match (errors::broken(&self.name, &error), self.place) {
            (Some(broken), Place::Here) => broken,
            (Some(broken), Place::Executors) => errors::to_be_carried(broken),
            (None, _) => error,
        }
    }
}

/// The begin of the URL of a store, without the name of its options; nothing for the local file system, but a slash.
fn begin(url: &Url) -> String {
    match url.host_str() {
        Some(bucket) if url.scheme() != "file" => format!("{}://{bucket}/", url.scheme()),
        _ => "/".to_owned(),
    }
}
