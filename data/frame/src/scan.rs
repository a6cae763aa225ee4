use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Kind;

/// Files that are read as one table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scan {
    /// Paths, patterns such as `logs/*.csv`, or URLs of an object store.
    pub paths: Vec<String>,
    /// What the files are. By default the end of their names tells.
    #[serde(default)]
    pub format: Option<Format>,
    #[serde(default)]
    pub csv: CsvOptions,
    /// The name by which the engine's process keeps options of an object store, if it keeps any. No other process knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_options: Option<String>,
}

/// What files are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Csv,
    /// A JSON object in each line.
    JsonLines,
    Parquet,
}

/// How CSV files are read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// Kinds of columns that are not to be inferred.
    pub kinds: BTreeMap<String, Kind>,
    /// What stands between two fields, one byte. By default a comma, or a tab in files whose names end in `.tsv`.
    pub delimiter: Option<char>,
    /// Whether the first row has the names of the columns. It has, by default.
    pub header: bool,
    /// What becomes of rows that cannot be read.
    pub bad_rows: BadRows,
    /// Bytes that one thread reads at a time.
    pub block_bytes: Option<usize>,
}

/// What becomes of a row that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadRows {
    /// The query fails and names the file, the line and its text.
    #[default]
    Fail,
    /// The row is left out and counted.
    Skip,
}

impl Scan {
    pub fn new(paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let paths = paths.into_iter().map(Into::into).collect();
        Self { paths, format: None, csv: CsvOptions::default(), store_options: None }
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            kinds: BTreeMap::new(),
            delimiter: None,
            header: true,
            bad_rows: BadRows::Fail,
            block_bytes: None,
        }
    }
}
