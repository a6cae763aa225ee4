//! What a query reads: files by their names, as tables.

mod csv;
mod json;
mod listing;
mod location;
mod named;
mod objects;
mod parquet;
mod paths;
mod roots;

use std::collections::BTreeMap;
use std::fmt;
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
use roots::Roots;

pub(crate) use csv::{Cuts, Length, decode, encode, length};
pub(crate) use named::{NAMED_FILES, NAMED_FILES_AWAY};

/// Finds the tables of an engine's queries, and remembers which columns had to be widened.
pub(crate) struct Tables {
    roots: Roots,
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
    /// Errors with [`Code::BadStoreOptions`] if a root is a URL of no store.
    pub(crate) fn new(settings: &Settings, place: Place) -> cardoon_errors::Result<Self> {
        Ok(Self {
            roots: Roots::new(&settings.roots)?,
            csv: settings.csv.clone(),
            widened: Mutex::default(),
            place,
        })
    }

    pub(crate) fn roots(&self) -> &Roots {
        &self.roots
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

    /// Options of a store stay in this process, and so are of no use to executors.
    pub(crate) fn may_use(&self, store_options: Option<&str>) -> cardoon_errors::Result<()> {
        if store_options.is_none() || self.place == Place::Here {
            return Ok(());
        }
        Err(Error::new(Code::OptionsOnCluster, "storage options are not sent to executors")
            .checked("they may be secret, and executors reach the store themselves")
            .hint("set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL where executors are started"))
    }

    /// The files of `scan` as a table.
    pub(crate) async fn open(&self, scan: &Scan) -> Result<Arc<dyn TableProvider>> {
        self.may_use(scan.store_options.as_deref()).map_err(Error::into_engine)?;
        let files = paths::expand(scan, &self.roots).await.map_err(Error::into_engine)?;
        match paths::format(scan, &files).map_err(Error::into_engine)? {
            Format::Csv => {
                let needed = |table: &str, column: &str| self.needed(table, column);
                csv::open(scan, files, needed, self.place).await
            }
            Format::Parquet => parquet::open(&files).await,
            Format::JsonLines => json::open(&files, self.place).await,
        }
    }
}

impl Tables {
    /// The first bytes of the first file of `scan`, unpacked.
    pub(crate) async fn begin(&self, scan: &Scan, most: usize) -> cardoon_errors::Result<Vec<u8>> {
        let files = paths::expand(scan, &self.roots).await?;
        files.first().map_or(Ok(Vec::new()), |file| csv::begin(file, most))
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
