//! CSV files as an executor reads them: each partition has pieces of its own.

use std::fmt;
use std::sync::Arc;

use cardoon_csv::{Options, Progress, Scan};
use cardoon_errors::Error;
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileOpenFuture, FileOpener, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectStore;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::{DisplayFormatType, ExecutionPlan};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use super::files::Layout;
use super::rows::Rows;
use super::source::source;
use super::spread::Piece;
use super::{Length, failure};
use crate::cluster::{BAD_ROWS, BYTES_READ, ROWS_READ};
use crate::errors::{self, IntoEngine as _};
use crate::tables::location::Location;

/// Reads pieces of CSV files. Being a file source, the scheduler can give each executor its share of them.
#[derive(Clone)]
struct CsvSource {
    layout: Arc<Layout>,
    columns: Vec<usize>,
    schema: TableSchema,
    batch_rows: usize,
    metrics: ExecutionPlanMetricsSet,
}

/// What is sent of a plan's step.
#[derive(Serialize, Deserialize)]
struct Sent {
    layout: Layout,
    columns: Vec<usize>,
    groups: Vec<Vec<Piece>>,
    limit: Option<usize>,
}

/// The step of a plan that reads `groups`, a partition each. Only who plans has to know how many rows there are, about.
pub(super) fn plan(
    layout: Arc<Layout>,
    columns: Vec<usize>,
    groups: Vec<Vec<Piece>>,
    limit: Option<usize>,
    about: Option<Statistics>,
) -> Arc<dyn ExecutionPlan> {
    let schema = TableSchema::from(layout.schema(columns.iter().copied()));
    let batch_rows = layout.options.batch_rows;
    let source = CsvSource { layout, columns, schema, batch_rows, metrics: ExecutionPlanMetricsSet::new() };
    let groups = groups.into_iter().map(group).collect();
    let config = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
        .with_file_groups(groups)
        .with_limit(limit);
    let config = match about {
        Some(about) => config.with_statistics(about),
        None => config,
    };
    DataSourceExec::from_data_source(config.build())
}

/// `plan` for another process, if it is a step of this kind.
pub(super) fn encode(plan: &dyn ExecutionPlan) -> Result<Option<Vec<u8>>> {
    let Some((config, source)) = of(plan) else { return Ok(None) };
    let pieces =
        |group: &FileGroup| group.files().iter().filter_map(|file| file.extension().cloned()).collect();
    let sent = Sent {
        layout: Layout::clone(&source.layout),
        columns: source.columns.clone(),
        groups: config.file_groups.iter().map(pieces).collect(),
        limit: config.limit,
    };
    serde_json::to_vec(&sent).map(Some).map_err(|error| DataFusionError::External(Box::new(error)))
}

/// How long the files of such a step are, or the parts of them that it reads.
pub(super) fn length(plan: &dyn ExecutionPlan) -> Option<Length> {
    let (config, _) = of(plan)?;
    let bytes = |piece: &Piece| match piece.part {
        Some(part) => Some(part.end.saturating_sub(part.start)),
        None => source(&piece.file, None).ok()?.len(),
    };
    let files = config.file_groups.iter().flat_map(FileGroup::files);
    Some(files.filter_map(|file| file.extension().map(bytes)).collect())
}

pub(super) fn decode(sent: &[u8]) -> Result<Arc<dyn ExecutionPlan>> {
    let Sent { layout, columns, groups, limit } =
        serde_json::from_slice(sent).map_err(|error| DataFusionError::External(Box::new(error)))?;
    if columns.iter().any(|column| *column >= layout.header.columns.len()) {
        return Err(errors::internal("a plan names columns that its files do not have").into_engine());
    }
    Ok(plan(Arc::new(layout), columns, groups, limit, None))
}

fn of(plan: &dyn ExecutionPlan) -> Option<(&FileScanConfig, &CsvSource)> {
    let exec = plan.downcast_ref::<DataSourceExec>()?;
    let config = (exec.data_source().as_ref() as &dyn std::any::Any).downcast_ref::<FileScanConfig>()?;
    let source = (config.file_source().as_ref() as &dyn std::any::Any).downcast_ref::<CsvSource>()?;
    Some((config, source))
}

fn group(pieces: Vec<Piece>) -> FileGroup {
    FileGroup::new(pieces.into_iter().map(file).collect())
}

fn file(piece: Piece) -> PartitionedFile {
    let path = piece.file.to_string();
    let file = match piece.part {
        Some(part) => PartitionedFile::new(path, part.end).with_range(part.start as i64, part.end as i64),
        None => PartitionedFile::new(path, 0),
    };
    file.with_extension(piece)
}

impl FileSource for CsvSource {
    fn create_file_opener(
        &self,
        _store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        _partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        Ok(Arc::new(self.clone()))
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_rows: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_rows, ..self.clone() })
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &'static str {
        "cardoon-csv"
    }

    fn fmt_extra(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", of {}", self.layout.name)
    }

    /// The pieces were weighed already.
    fn repartitioned(
        &self,
        _partitions: usize,
        _least_bytes: usize,
        _order: Option<LexOrdering>,
        _config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        Ok(None)
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }
}

impl FileOpener for CsvSource {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let piece: Piece = file
            .extension()
            .cloned()
            .ok_or_else(|| errors::internal("a file of a plan has no piece").into_engine())?;
        let rows = self.rows(piece).map_err(errors::to_be_carried)?;
        let rows = stream::iter(rows).map(|batch| batch.map_err(errors::to_be_carried));
        Ok(Box::pin(async move { Ok(rows.boxed()) }))
    }
}

impl CsvSource {
    fn rows(&self, Piece { file, part }: Piece) -> Result<Counted> {
        if let Location::Local(path) = &file
            && !path.is_file()
        {
            return Err(errors::not_shared(&path.display().to_string()).into_engine());
        }
        let source = source(&file, part).map_err(Error::into_engine)?;
        let options = Options { batch_rows: self.batch_rows, ..self.layout.options.clone() };
        let (sources, header) = (vec![(source, part)], self.layout.header.clone());
        let scan = Scan::of_parts(sources, header, Some(self.columns.clone()), options)
            .map_err(|error| failure::of_scan(&self.layout, error))?;
        let rows = Rows::new(self.layout.clone(), self.schema.table_schema().clone(), scan.reader());
        Ok(Counted::new(rows, scan, &self.metrics))
    }
}

/// Rows of a piece, told of in the metrics as they are read.
struct Counted {
    rows: Rows,
    scan: Arc<Scan>,
    told: Progress,
    counts: [Count; 3],
}

impl Counted {
    fn new(rows: Rows, scan: Arc<Scan>, metrics: &ExecutionPlanMetricsSet) -> Self {
        // Who reads it is one task, so that the number of its partition tells nothing.
        let counts =
            [ROWS_READ, BYTES_READ, BAD_ROWS].map(|name| MetricBuilder::new(metrics).counter(name, 0));
        Self { rows, scan, told: Progress::default(), counts }
    }

    fn tell(&mut self) {
        let (before, now) = (self.told, self.scan.progress());
        let new = [now.rows - before.rows, now.bytes - before.bytes, now.bad_rows - before.bad_rows];
        self.counts.iter().zip(new).for_each(|(count, new)| count.add(new as usize));
        self.told = now;
    }
}

impl Iterator for Counted {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.rows.next();
        self.tell();
        batch
    }
}
