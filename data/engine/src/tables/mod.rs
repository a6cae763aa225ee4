//! What a query reads: files by their names, as tables.

mod csv;
mod listing;
mod paths;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use cardoon_csv::Kind;
use cardoon_errors::{Code, Error};
use cardoon_frame::{CsvOptions, Format, Scan};
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::error::Result;
use datafusion::prelude::SessionContext;

use crate::Settings;
use crate::errors::{Disagreement, IntoEngine as _};

pub(crate) use csv::{Length, decode, encode, length};
pub(crate) use paths::may_write;

/// Finds the tables of an engine's queries, and remembers which columns had to be widened.
pub(crate) struct Tables {
    roots: Vec<PathBuf>,
    csv: CsvOptions,
    widened: Mutex<BTreeMap<(String, String), Kind>>,
    place: Place,
}

/// Who reads the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// This process.
    Here,
    /// Executors of a cluster.
    Executors,
}

impl Tables {
    pub(crate) fn new(settings: &Settings, place: Place) -> Self {
        Self { roots: settings.roots.clone(), csv: settings.csv.clone(), widened: Mutex::default(), place }
    }

    /// Remembers that a column holds more than its samples did. `false` if the attempt that found it has read the column
    /// in that kind already, so that trying again would change nothing. Other queries may have found more meanwhile.
    pub(crate) fn widen(&self, found: &Disagreement) -> bool {
        let key = (found.table.clone(), found.column.clone());
        let mut widened = self.widened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = widened.entry(key).or_insert(found.needed);
        *known = known.wider(found.needed);
        *known != found.had
    }

    /// The kind that a column of these files is known to need.
    fn needed(&self, table: &str, column: &str) -> Option<Kind> {
        let widened = self.widened.lock().unwrap_or_else(PoisonError::into_inner);
        widened.get(&(table.to_owned(), column.to_owned())).copied()
    }

    /// The files of `scan` as a table.
    pub(crate) async fn open(&self, scan: &Scan) -> Result<Arc<dyn TableProvider>> {
        let files = paths::expand(&scan.paths, &self.roots).map_err(Error::into_engine)?;
        match paths::format(scan, &files).map_err(Error::into_engine)? {
            Format::Csv => {
                let needed = |table: &str, column: &str| self.needed(table, column);
                csv::open(scan, &files, needed, self.place)
            }
            Format::Parquet => listing::parquet(&files).await,
            Format::JsonLines => listing::json(&files, self.place).await,
        }
    }
}

impl fmt::Debug for Tables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tables").finish_non_exhaustive()
    }
}

/// `from 'logs/*.csv'`: a name that no table has.
#[async_trait]
impl UrlTableFactory for Tables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if !paths::is_path(name) {
            return Ok(None);
        }
        let scan = Scan { csv: self.csv.clone(), ..Scan::new([name]) };
        self.open(&scan).await.map(Some)
    }
}

/// The files of `scan` as a table of the session's engine.
pub(crate) async fn open(session: &SessionContext, scan: &Scan) -> Result<Arc<dyn TableProvider>> {
    let tables = session.copied_config().get_extension::<Tables>();
    let tables =
        tables.ok_or_else(|| Error::new(Code::Internal, "the session has no tables").into_engine())?;
    tables.open(scan).await
}
