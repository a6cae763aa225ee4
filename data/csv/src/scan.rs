use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use crate::blocks::Block;
use crate::column::Column;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::file::File;
use crate::header::Header;
use crate::marks::Marks;
use crate::nulls::Nulls;
use crate::part::Part;
use crate::reader::Reader;
use crate::source::Source;

/// What is done about a row with too many or too few fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum BadRows {
    /// It is an error, which tells of the row.
    #[default]
    Fail,
    /// It is passed over and counted. A quote that is never closed remains an error: it would swallow all rows that
    /// follow.
    Skip,
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    pub dialect: Dialect,
    /// Bytes that are read at once, by each reader; default: 512 KiB, at most 64 MiB. A row that is longer grows its
    /// block, up to 64 MiB.
    pub block_bytes: usize,
    /// The most rows of a batch; default: 8192, at least 1. The last batch of a block has fewer.
    pub batch_rows: usize,
    pub bad_rows: BadRows,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: Dialect::default(),
            block_bytes: 512 << 10,
            batch_rows: 8192,
            bad_rows: BadRows::default(),
        }
    }
}

/// How far all readers of a scan have come; it is brought up to date with every block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Of the (decompressed) files.
    pub bytes: u64,
    pub rows: u64,
    pub bad_rows: u64,
}

/// Files that are read by any number of threads, each with a [`Reader`]: together they read every row once.
///
/// As long as there are unread files, each reader has one of its own; then they share those that are left. A single
/// reader reads the rows in their order.
pub struct Scan {
    pub(crate) files: Vec<File>,
    pub(crate) header: Header,
    /// The columns that are read, in the order in which they were asked for.
    pub(crate) columns: Vec<Column>,
    pub(crate) marks: Marks,
    pub(crate) nulls: Nulls,
    pub(crate) options: Options,
    unopened: AtomicUsize,
    bytes: AtomicU64,
    rows: AtomicU64,
    bad_rows: AtomicU64,
}

impl Scan {
    /// `projection`: the columns to read, by their position in `header`, in any order; all if `None`. With an empty
    /// one batches have only a number of rows.
    ///
    /// Fails with [`Error::NoSuchColumn`] or [`Error::BadDialect`]; files are opened by the readers.
    pub fn new(
        sources: Vec<Arc<dyn Source>>,
        header: Header,
        projection: Option<Vec<usize>>,
        options: Options,
    ) -> Result<Arc<Self>> {
        let sources = sources.into_iter().map(|source| (source, None)).collect();
        Self::of_parts(sources, header, projection, options)
    }

    /// As [`Scan::new`], of parts of files, as [`parts`](crate::parts) cuts them; the whole file if `None`. Each is
    /// read as if it were a file of its own, and errors tell where in the whole file they are.
    ///
    /// Readers fail with [`Error::FileChanged`] if a file has another length than when it was cut.
    pub fn of_parts(
        sources: Vec<(Arc<dyn Source>, Option<Part>)>,
        header: Header,
        projection: Option<Vec<usize>>,
        options: Options,
    ) -> Result<Arc<Self>> {
        options.dialect.check()?;
        let nulls = Nulls::new(&options.dialect);
        let projection = projection.unwrap_or_else(|| (0..header.columns.len()).collect());
        let columns: Result<Vec<Column>> =
            projection.into_iter().map(|index| column(&header, index, &nulls)).collect();
        Ok(Arc::new(Self {
            files: sources.into_iter().map(|(source, part)| File::new(source, part)).collect(),
            columns: columns?,
            header,
            marks: Marks::new(&options.dialect),
            nulls,
            options,
            unopened: AtomicUsize::new(0),
            bytes: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            bad_rows: AtomicU64::new(0),
        }))
    }

    /// One for each thread.
    pub fn reader(self: &Arc<Self>) -> Reader {
        Reader::new(Arc::clone(self))
    }

    pub fn progress(&self) -> Progress {
        let [bytes, rows, bad_rows] =
            [&self.bytes, &self.rows, &self.bad_rows].map(|count| count.load(Ordering::Relaxed));
        Progress { bytes, rows, bad_rows }
    }

    pub(crate) fn add(&self, done: Progress) {
        self.bytes.fetch_add(done.bytes, Ordering::Relaxed);
        self.rows.fetch_add(done.rows, Ordering::Relaxed);
        self.bad_rows.fetch_add(done.bad_rows, Ordering::Relaxed);
    }

    /// Puts the next rows into `block`, of the file `current` as long as it has any, and tells whose rows they are.
    pub(crate) fn next_block(&self, mut current: Option<usize>, block: &mut Block) -> Result<Option<usize>> {
        while let Some(file) = current.or_else(|| self.pick()) {
            let Options { dialect, block_bytes, .. } = &self.options;
            if self.files[file].next(&self.header, dialect, *block_bytes, block)? {
                return Ok(Some(file));
            }
            current = None;
        }
        Ok(None)
    }

    /// A file that nobody has opened, or else one that has not ended.
    fn pick(&self) -> Option<usize> {
        let count = self.files.len();
        let turn = self.unopened.fetch_add(1, Ordering::Relaxed);
        if turn < count {
            return Some(turn);
        }
        // Readers that find nothing unopened begin their search at different files.
        (0..count).map(|step| (turn + step) % count).find(|file| !self.files[*file].has_ended())
    }
}

fn column(header: &Header, index: usize, nulls: &Nulls) -> Result<Column> {
    let columns = header.columns.len();
    let (name, kind) = header.columns.get(index).cloned().ok_or(Error::NoSuchColumn { index, columns })?;
    Ok(Column { index, name, kind, nulls_first: nulls.overlap(kind) })
}
