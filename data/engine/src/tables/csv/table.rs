use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::exec::CsvExec;
use super::files::Files;

/// CSV files as a table of the engine.
#[derive(Debug)]
pub(super) struct CsvTable {
    files: Arc<Files>,
    schema: SchemaRef,
}

impl CsvTable {
    pub(super) fn new(files: Arc<Files>) -> Self {
        let schema = files.schema(0..files.header.columns.len());
        Self { files, schema }
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

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.files.header.columns.len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        Ok(Arc::new(CsvExec::new(self.files.clone(), columns, limit, state.config().target_partitions())))
    }
}
