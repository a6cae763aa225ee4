use std::path::PathBuf;

use anyhow::Result;

use super::Inputs;
use crate::systems;

/// Those of TPC-H.
pub(crate) const TABLES: [&str; 8] =
    ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

/// The tables of TPC-H at scale 1, a file of Parquet each.
impl Inputs {
    /// Makes them if they are missing.
    pub(crate) fn make_tables(&self) -> Result<()> {
        let folder = self.tables();
        if folder.exists() { Ok(()) } else { self.place(&folder, systems::generate_tables) }
    }

    pub(crate) fn table(&self, name: &str) -> PathBuf {
        self.tables().join(format!("{name}.parquet"))
    }

    pub(crate) fn table_bytes(&self) -> Result<u64> {
        TABLES.iter().map(|name| Ok(self.table(name).metadata()?.len())).sum()
    }

    pub(crate) fn warm_tables(&self) -> Result<()> {
        super::warm(TABLES.map(|name| self.table(name)))
    }

    fn tables(&self) -> PathBuf {
        self.folder().join("tpch-1")
    }
}
