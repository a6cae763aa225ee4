use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use cardoon_csv::{Dialect, Header, Kind, Options, Source};
use cardoon_errors::{Code, Error};
use cardoon_frame::{self as frame, BadRows, CsvOptions, Scan};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result;
use serde::{Deserialize, Serialize};

use super::columns;
use super::source::source;
use crate::errors::{self, IntoEngine as _};
use crate::tables::location::Location;

/// CSV files of the same columns.
pub(super) struct Files {
    pub(super) layout: Arc<Layout>,
    pub(super) locations: Vec<Location>,
    pub(super) sources: Vec<Arc<dyn Source>>,
}

/// What is known of the files before they are read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Layout {
    /// What the query calls the files.
    pub(super) name: String,
    pub(super) header: Header,
    /// Columns whose kinds the query declares.
    pub(super) declared: BTreeSet<String>,
    pub(super) options: Options,
}

impl Files {
    pub(super) async fn open(
        scan: &Scan,
        locations: Vec<Location>,
        needed: impl Fn(&str, &str) -> Option<Kind>,
    ) -> Result<Self> {
        let name = scan.paths.join(", ");
        let sources = locations.iter().map(|file| source(file, None)).collect::<Result<Vec<_>, _>>();
        let sources = sources.map_err(Error::into_engine)?;
        let options = options(&scan.csv, &locations).map_err(Error::into_engine)?;
        let header = columns::of_files(&locations, &sources, &options.dialect).await;
        let mut header = header.map_err(Error::into_engine)?;
        for (column, kind) in &mut header.columns {
            if let Some(needed) = needed(&name, column) {
                *kind = kind.wider(needed);
            }
        }
        declare(&mut header, &scan.csv).map_err(Error::into_engine)?;
        let declared = scan.csv.kinds.keys().cloned().collect();
        let layout = Arc::new(Layout { name, header, declared, options });
        Ok(Self { layout, locations, sources })
    }
}

impl Layout {
    /// The columns with these indices.
    pub(super) fn schema(&self, columns: impl IntoIterator<Item = usize>) -> SchemaRef {
        let fields = columns.into_iter().map(|index| {
            let (name, kind) = &self.header.columns[index];
            Field::new(name, kind.arrow(), true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("name", &self.layout.name).finish_non_exhaustive()
    }
}

fn options(csv: &CsvOptions, files: &[Location]) -> Result<Options, Error> {
    let dialect = Dialect { delimiter: delimiter(csv, files)?, header: csv.header, ..Dialect::default() };
    let bad_rows = match csv.bad_rows {
        BadRows::Fail => cardoon_csv::BadRows::Fail,
        BadRows::Skip => cardoon_csv::BadRows::Skip,
    };
    let mut options = Options { dialect, bad_rows, ..Options::default() };
    if let Some(bytes) = csv.block_bytes {
        options.block_bytes = bytes;
    }
    Ok(options)
}

fn delimiter(csv: &CsvOptions, files: &[Location]) -> Result<u8, Error> {
    let name = files.first().map(Location::name).unwrap_or_default();
    match csv.delimiter {
        None if is_tsv(&name.to_lowercase()) => Ok(b'\t'),
        None => Ok(b','),
        Some(delimiter) => u8::try_from(delimiter)
            .ok()
            .filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r'))
            .ok_or_else(|| Error::new(Code::BadInput, format!("{delimiter:?} cannot stand between fields"))),
    }
}

fn is_tsv(name: &str) -> bool {
    [".tsv", ".tsv.gz", ".tsv.zst"].iter().any(|end| name.ends_with(end))
}

/// Sets the kinds that the query declares.
fn declare(header: &mut Header, csv: &CsvOptions) -> Result<(), Error> {
    for (name, kind) in &csv.kinds {
        let Some(index) = header.columns.iter().position(|(column, _)| column == name) else {
            let known: Vec<&str> = header.columns.iter().map(|(column, _)| column.as_str()).collect();
            return Err(errors::no_such_column(name, &known));
        };
        header.columns[index].1 = kind_of(*kind);
    }
    Ok(())
}

fn kind_of(kind: frame::Kind) -> Kind {
    match kind {
        frame::Kind::Boolean => Kind::Boolean,
        frame::Kind::Integer => Kind::Int64,
        frame::Kind::Float => Kind::Float64,
        frame::Kind::Date => Kind::Date,
        frame::Kind::Timestamp => Kind::Timestamp,
        frame::Kind::Text => Kind::Text,
    }
}
