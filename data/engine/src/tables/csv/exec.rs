use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_csv::{Options, Reader, Scan};
use datafusion::arrow::array::RecordBatch;
use datafusion::common::Statistics;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, Metric, MetricValue, MetricsSet,
};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use futures_util::stream;

use super::files::{Files, Layout};
use super::rows::Rows;
use super::{Length, estimate, failure};
use crate::cluster::{BAD_ROWS, BYTES_READ, ROWS_READ};

/// Reads CSV files. All partitions take blocks from one scan, so that none of them ends long before the others.
pub(super) struct CsvExec {
    files: Arc<Files>,
    columns: Vec<usize>,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    /// Made by the first partition that starts.
    scan: Mutex<Option<Arc<Scan>>>,
    /// That one and those of earlier rounds.
    scans: Arc<Mutex<Vec<Arc<Scan>>>>,
}

impl CsvExec {
    pub(super) fn new(
        files: Arc<Files>,
        columns: Vec<usize>,
        limit: Option<usize>,
        partitions: usize,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(files.layout.schema(columns.iter().copied())),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            files,
            columns,
            limit,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            scan: Mutex::default(),
            scans: Arc::default(),
        }
    }

    /// A reader of the scan that all partitions share.
    fn reader(&self, batch_rows: usize) -> Result<Reader> {
        let mut shared = self.scan.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scan) = &*shared {
            return Ok(scan.reader());
        }
        let Files { sources, layout, .. } = &*self.files;
        let options = Options { batch_rows, ..layout.options.clone() };
        let scan = Scan::new(sources.clone(), layout.header.clone(), Some(self.columns.clone()), options)
            .map_err(|error| failure::of_scan(layout, error))?;
        self.scans.lock().unwrap_or_else(PoisonError::into_inner).push(scan.clone());
        Ok(shared.insert(scan).reader())
    }
}

impl CsvExec {
    /// What all scans have read so far, under the names of the metrics.
    fn counts(&self) -> [(&'static str, Count); 3] {
        let counts = [ROWS_READ, BYTES_READ, BAD_ROWS].map(|name| (name, Count::new()));
        for scan in &*self.scans.lock().unwrap_or_else(PoisonError::into_inner) {
            let read = scan.progress();
            let read = [read.rows, read.bytes, read.bad_rows];
            counts.iter().zip(read).for_each(|((_, count), read)| count.add(read as usize));
        }
        counts
    }
}

/// How long the files of such a step are.
pub(super) fn length(plan: &dyn ExecutionPlan) -> Option<Length> {
    let exec = plan.downcast_ref::<CsvExec>()?;
    Some(exec.files.sources.iter().map(|source| source.len()).collect())
}

impl fmt::Debug for CsvExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvExec").field("files", &self.files.layout.name).finish_non_exhaustive()
    }
}

impl DisplayAs for CsvExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Files { layout, sources, .. } = &*self.files;
        let Layout { name, header, .. } = &**layout;
        let columns: Vec<&str> = self.columns.iter().map(|index| header.columns[*index].0.as_str()).collect();
        write!(f, "CsvExec: {name}, {} files, columns [{}]", sources.len(), columns.join(", "))?;
        self.limit.map_or(Ok(()), |limit| write!(f, ", limit {limit}"))
    }
}

impl ExecutionPlan for CsvExec {
    fn name(&self) -> &'static str {
        "CsvExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    /// A recursive query reads its files again in each round.
    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions = self.properties.partitioning.partition_count();
        let again = Self::new(self.files.clone(), self.columns.clone(), self.limit, partitions);
        Ok(Arc::new(Self { scans: self.scans.clone(), ..again }))
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    /// Of each partition what is known of all: they take from one scan as they like.
    fn statistics_from_inputs(&self, _: &[Arc<Statistics>], _: &StatisticsArgs) -> Result<Arc<Statistics>> {
        Ok(Arc::new(estimate::statistics(&self.files, &self.columns, self.limit)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let reader = self.reader(context.session_config().batch_size())?;
        let partition = Partition {
            rows: Rows::new(self.files.layout.clone(), self.schema(), reader),
            left: self.limit,
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(self.schema(), stream::iter(partition)))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        let mut metrics = self.metrics.clone_inner();
        for (name, count) in self.counts() {
            let count = MetricValue::Count { name: name.into(), count };
            metrics.push(Arc::new(Metric::new(count, None)));
        }
        Some(metrics)
    }
}

/// What one partition reads.
struct Partition {
    rows: Rows,
    /// Rows that are still wanted.
    left: Option<usize>,
    metrics: BaselineMetrics,
}

impl Iterator for Partition {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == Some(0) {
            return None;
        }
        let timer = self.metrics.elapsed_compute().timer();
        let batch = self.rows.next();
        timer.done();
        batch.map(|batch| batch.map(|batch| self.wanted(batch)))
    }
}

impl Partition {
    fn wanted(&mut self, batch: RecordBatch) -> RecordBatch {
        let batch = match self.left {
            Some(left) if left < batch.num_rows() => batch.slice(0, left),
            _ => batch,
        };
        self.left = self.left.map(|left| left - batch.num_rows());
        self.metrics.output_rows().add(batch.num_rows());
        batch
    }
}
