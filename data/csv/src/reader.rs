use std::sync::Arc;

use arrow_array::ArrayRef;

use crate::blocks::Block;
use crate::column::{self, Column, Trouble};
use crate::error::{Error, Result, shown};
use crate::index::{BadRow, Index, Rows};
use crate::kind::Kind;
use crate::quotes::unquoted;
use crate::scan::{BadRows, Progress, Scan};

/// Rows of one file.
#[derive(Debug, Clone)]
pub struct Batch {
    /// One for each projected column.
    pub columns: Vec<ArrayRef>,
    pub rows: usize,
    /// That the rows take in their file.
    pub bytes: u64,
    /// The position of their file among the scan's sources.
    pub source: usize,
}

/// A thread's part of a scan.
pub struct Reader {
    scan: Arc<Scan>,
    /// The file whose block it has.
    file: Option<usize>,
    block: Block,
    index: Index,
    /// The first row of the block that was not yet given out.
    next_row: usize,
    has_ended: bool,
}

impl Reader {
    pub(crate) fn new(scan: Arc<Scan>) -> Self {
        let (block, index) = (Block::default(), Index::default());
        Self { scan, file: None, block, index, next_row: 0, has_ended: false }
    }

    /// The next rows, or nothing at the end. After an error there is nothing either.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would hide that errors end it")]
    pub fn next(&mut self) -> Result<Option<Batch>> {
        if self.has_ended {
            return Ok(None);
        }
        let batch = self.read();
        self.has_ended = !matches!(batch, Ok(Some(_)));
        batch
    }

    fn read(&mut self) -> Result<Option<Batch>> {
        while self.next_row == self.index.rows {
            self.file = self.scan.next_block(self.file, &mut self.block)?;
            let Some(file) = self.file else { return Ok(None) };
            self.find_rows(file)?;
        }
        let most = self.scan.options.batch_rows.max(1);
        let rows = self.index.rows(&self.block, self.scan.marks, self.next_row, most);
        self.next_row += rows.count;
        self.batch(&rows).map(Some)
    }

    fn find_rows(&mut self, file: usize) -> Result<()> {
        let Self { scan, block, index, .. } = self;
        let mut bad_rows = 0;
        let fail = scan.options.bad_rows == BadRows::Fail;
        let found = index.build(block, scan.marks, scan.header.columns.len(), |bad| {
            bad_rows += 1;
            if fail { Err(bad) } else { Ok(()) }
        });
        scan.add(Progress { bytes: block.end as u64, rows: index.rows as u64, bad_rows });
        self.next_row = 0;
        found.map_err(|bad| self.bad_row(file, bad))
    }

    fn batch(&self, rows: &Rows<'_>) -> Result<Batch> {
        let source = self.file.unwrap_or_default();
        let read = |column| {
            column::read(rows, column, &self.scan.nulls).map_err(|trouble| self.error(rows, column, trouble))
        };
        let columns: Result<Vec<ArrayRef>> = self.scan.columns.iter().map(read).collect();
        Ok(Batch { columns: columns?, rows: rows.count, bytes: rows.bytes(), source })
    }

    fn bad_row(&self, file: usize, bad: BadRow) -> Error {
        Error::BadRow {
            file: self.scan.files[file].name().to_owned(),
            line: self.block.line_at(bad.start),
            expected: self.scan.header.columns.len(),
            found: bad.fields,
            text: shown(self.block.bytes[bad.start..bad.end].trim_ascii_end()),
        }
    }

    fn error(&self, rows: &Rows<'_>, column: &Column, trouble: Trouble) -> Error {
        let (Trouble::Disagrees { row, .. } | Trouble::InvalidUtf8 { row }) = trouble;
        let field = rows.raw(row, column.index);
        let file = self.scan.files[self.file.unwrap_or_default()].name().to_owned();
        let line = self.block.line_at(field.start);
        let (declared, column) = (column.kind, column.name.clone());
        match trouble {
            Trouble::Disagrees { text, .. } => {
                let found = Kind::of(&text);
                let needed = declared.wider(found);
                Error::Disagrees { file, line, column, declared, found, needed, text: shown(&text) }
            }
            Trouble::InvalidUtf8 { .. } => {
                let offset = self.block.offset + field.start as u64;
                let text = shown(&unquoted(field.text(), self.scan.marks.quote));
                Error::InvalidUtf8 { file, line, column, offset, text }
            }
        }
    }
}
