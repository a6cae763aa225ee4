use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::cuts::Cuts;
use super::exec::CsvExec;
use super::files::Files;
use super::{estimate, remote, spread};
use crate::order::InOrder;
use crate::tables::Place;

/// CSV files as a table of the engine.
#[derive(Debug)]
pub(super) struct CsvTable {
    files: Arc<Files>,
    schema: SchemaRef,
    place: Place,
}

impl CsvTable {
    pub(super) fn new(files: Arc<Files>, place: Place) -> Self {
        let schema = files.layout.schema(0..files.layout.header.columns.len());
        Self { files, schema, place }
    }
}

#[async_trait]
impl TableProvider for CsvTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// In this process all partitions share one scan. Executors cannot, so each partition has files of its own there.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.files.layout.header.columns.len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        let partitions = state.config().target_partitions();
        if self.place == Place::Here {
            return Ok(Arc::new(CsvExec::new(self.files.clone(), columns, limit, partitions)));
        }
        let in_order = state.config().get_extension::<InOrder>().is_some();
        let cuts = state.config().get_extension::<Cuts>().unwrap_or_default();
        let groups = spread::over(&self.files, &cuts, partitions, in_order).await?;
        let about = estimate::statistics(&self.files, &columns, limit);
        Ok(remote::plan(self.files.layout.clone(), columns, groups, limit, Some(about)))
    }
}
