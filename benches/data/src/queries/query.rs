use std::path::Path;

use crate::inputs::{Inputs, TABLES};

pub(crate) struct Query {
    /// What `--only` calls it.
    pub(crate) name: &'static str,
    /// What a table calls it.
    pub(crate) title: &'static str,
    /// With a name such as `{logs}` where files are named.
    pub(super) sql: &'static str,
    pub(crate) columns: &'static [Kind],
}

/// What a column of an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Float,
    /// Sums, means and quotients of amounts with two decimals. Engines differ in how many decimals these have.
    Decimal,
    Text,
    Time,
}

impl Query {
    /// The text for an engine that takes files where a table would be named.
    pub(crate) fn sql(&self, inputs: &Inputs) -> String {
        let names =
            [("logs", inputs.logs().join("*.csv")), ("parquet", inputs.parquet()), ("users", inputs.users())];
        let tables = TABLES.map(|table| (table, inputs.table(table)));
        let files = names.into_iter().chain(tables);
        files.fold(self.sql.to_owned(), |sql, (name, path)| {
            sql.replace(&format!("{{{name}}}"), &quoted(&path))
        })
    }
}

/// The name of files where a table would be named.
pub(crate) fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "''"))
}

impl Kind {
    /// Whether engines that are both right may answer differently, a little.
    pub(crate) fn is_inexact(self) -> bool {
        matches!(self, Self::Float | Self::Decimal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::{LOGS, TPCH};

    #[test]
    fn quotes_in_paths_do_not_end_the_name_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = Inputs::at(&folder.path().join("user's"));
        let count = LOGS[0].sql(&inputs);
        assert!(count.contains("/user''s/logs/*.csv' group by"), "{count}");
    }

    #[test]
    fn every_name_of_a_file_is_filled_in() {
        let inputs = Inputs::at(Path::new("/files"));
        for query in LOGS.iter().chain(TPCH) {
            let sql = query.sql(&inputs);
            assert!(sql.contains("'/files/") && !sql.contains(['{', '}']), "{sql}");
        }
    }
}
