//! The begin of a file: the names of its columns.

use crate::blocks::{Block, Blocks};
use crate::dialect::Dialect;
use crate::error::{Error, Result, shown};
use crate::field::Field;
use crate::header::distinct;
use crate::index::first_row;
use crate::marks::Marks;
use crate::quotes::unquoted;

/// Reads the first block of a file, leaves its rows in `block`, and tells the names of the columns.
pub(crate) fn skip(
    blocks: &mut Blocks,
    block: &mut Block,
    file: &str,
    dialect: &Dialect,
) -> Result<Vec<String>> {
    let marks = Marks::new(dialect);
    while blocks.next(block)? {
        let Some((fields, end)) = first_row(block, marks) else { continue };
        if !dialect.header {
            return Ok((0..fields.len()).map(|column| column.to_string()).collect());
        }
        let names: Result<Vec<String>> = fields
            .iter()
            .enumerate()
            .map(|(column, field)| name(block, *field, column, file, dialect))
            .collect();
        let names = distinct(names?);
        if !block.quoted && names.iter().any(|name| name.contains('\r')) {
            return Err(Error::CarriageReturns { file: file.to_owned() });
        }
        block.start = end;
        return Ok(names);
    }
    Err(Error::EmptyFile { file: file.to_owned() })
}

fn name(block: &Block, field: Field<'_>, column: usize, file: &str, dialect: &Dialect) -> Result<String> {
    let name = unquoted(field.text(), dialect.quote).into_owned();
    String::from_utf8(name).map_err(|error| Error::InvalidUtf8 {
        file: file.to_owned(),
        line: block.line_at(field.start),
        column: (column + 1).to_string(),
        offset: block.offset + field.start as u64,
        text: shown(error.as_bytes()),
    })
}
