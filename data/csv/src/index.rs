//! Where the fields of a block are.
//!
//! `ends` begins with the position before the first row; then comes the end of every field. As long as all rows have
//! as many fields as there are columns, the end of a row is also the position before the next one. Otherwise, if a
//! blank line or a bad row was taken out, each row has a position before it of its own.

use crate::blocks::Block;
use crate::ends::find_ends;
use crate::field::Field;
use crate::marks::Marks;

#[derive(Debug, Default)]
pub(crate) struct Index {
    ends: Vec<u32>,
    /// Positions from one row to the next.
    stride: usize,
    columns: usize,
    pub(crate) rows: usize,
}

/// A row with too many or too few fields, as positions in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) fields: usize,
}

/// Some rows of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    bytes: &'a [u8],
    ends: &'a [u32],
    stride: usize,
    columns: usize,
    quote: Option<u8>,
    pub(crate) count: usize,
}

impl Index {
    /// Finds the rows of `block` and gives each bad one to `bad`, whose first error ends it.
    pub(crate) fn build<E>(
        &mut self,
        block: &Block,
        marks: Marks,
        columns: usize,
        bad: impl FnMut(BadRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let newlines = find_ends(block, marks, &mut self.ends);
        (self.stride, self.columns, self.rows) = (columns, columns, newlines);
        if self.is_regular(&block.bytes) { Ok(()) } else { self.take_out(&block.bytes, bad) }
    }

    /// The rows from `first` on, at most `most`.
    pub(crate) fn rows<'a>(&'a self, block: &'a Block, marks: Marks, first: usize, most: usize) -> Rows<'a> {
        Rows {
            bytes: &block.bytes[..block.end],
            ends: &self.ends[first * self.stride..],
            stride: self.stride,
            columns: self.columns,
            quote: block.quoted.then_some(marks.quote),
            count: most.min(self.rows - first),
        }
    }

    /// Whether every row has a field for each column, and none is blank.
    fn is_regular(&self, bytes: &[u8]) -> bool {
        let ends = &self.ends[1..];
        if self.columns == 0 || ends.len() != self.rows * self.columns {
            return false;
        }
        // There are as many line ends as rows: if each is where it should be, there is none elsewhere.
        let mut is_regular = true;
        for end in ends.iter().skip(self.columns - 1).step_by(self.columns) {
            is_regular &= bytes[*end as usize] == b'\n';
        }
        is_regular
            && (self.columns > 1 || !self.ends.windows(2).any(|row| is_blank(row_of(bytes, row[0], row[1]))))
    }

    /// Leaves only the rows that have a field for each column.
    fn take_out<E>(&mut self, bytes: &[u8], mut bad: impl FnMut(BadRow) -> Result<(), E>) -> Result<(), E> {
        let all = std::mem::take(&mut self.ends);
        (self.stride, self.rows) = (self.columns + 1, 0);
        let mut before = all[0];
        for row in all[1..].split_inclusive(|end| bytes[*end as usize] == b'\n') {
            let end = row[row.len() - 1];
            let start = before.wrapping_add(1) as usize;
            if row.len() == 1 && is_blank(row_of(bytes, before, end)) {
                // A blank line is no row.
            } else if row.len() == self.columns {
                self.ends.push(before);
                self.ends.extend_from_slice(row);
                self.rows += 1;
            } else {
                bad(BadRow { start, end: end as usize, fields: row.len() })?;
            }
            before = end;
        }
        Ok(())
    }
}

impl<'a> Rows<'a> {
    /// A field without its quotes, provided that it has them on both sides; quotes within are left as they are.
    #[expect(clippy::inline_always, reason = "a call for each field would cost more than what it does")]
    #[inline(always)]
    pub(crate) fn field(&self, row: usize, column: usize) -> Field<'a> {
        let Field { block, mut start, mut end } = self.raw(row, column);
        if let Some(quote) = self.quote
            && end - start >= 2
            && block[start] == quote
            && block[end - 1] == quote
        {
            (start, end) = (start + 1, end - 1);
        }
        Field { block, start, end }
    }

    /// A field as it stands in the file.
    #[expect(clippy::inline_always, reason = "a call for each field would cost more than what it does")]
    #[inline(always)]
    pub(crate) fn raw(&self, row: usize, column: usize) -> Field<'a> {
        let at = row * self.stride + column;
        let start = self.ends[at].wrapping_add(1) as usize;
        let mut end = self.ends[at + 1] as usize;
        if column + 1 == self.columns && end > start && self.bytes[end - 1] == b'\r' {
            end -= 1;
        }
        Field { block: self.bytes, start, end }
    }

    pub(crate) fn quote(&self) -> Option<u8> {
        self.quote
    }

    /// The bytes from the begin of the first row to the end of the last, which are as many as it took to write them.
    pub(crate) fn bytes(&self) -> u64 {
        let Some(last) = self.count.checked_sub(1) else { return 0 };
        u64::from(self.ends[last * self.stride + self.columns].wrapping_sub(self.ends[0]))
    }
}

/// The fields of the first row that is not blank, and where it ends.
pub(crate) fn first_row(block: &Block, marks: Marks) -> Option<(Vec<Field<'_>>, usize)> {
    let mut ends = Vec::new();
    find_ends(block, marks, &mut ends);
    let mut before = ends[0];
    for row in ends[1..].split_inclusive(|end| block.bytes[*end as usize] == b'\n') {
        let end = row[row.len() - 1];
        if row.len() > 1 || !is_blank(row_of(&block.bytes, before, end)) {
            let index =
                Index { stride: row.len(), columns: row.len(), rows: 1, ends: [&[before], row].concat() };
            let rows = index.rows(block, marks, 0, 1);
            let of_block = |field: Field<'_>| Field { block: &block.bytes, ..field };
            let fields = (0..row.len()).map(|column| of_block(rows.raw(0, column))).collect();
            return Some((fields, end as usize + 1));
        }
        before = end;
    }
    None
}

/// A row from the position before it to its end.
fn row_of(bytes: &[u8], before: u32, end: u32) -> &[u8] {
    &bytes[before.wrapping_add(1) as usize..end as usize]
}

#[inline]
fn is_blank(row: &[u8]) -> bool {
    row.first().is_none_or(u8::is_ascii_whitespace) && row.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Dialect;

    fn read(text: &str, columns: usize) -> (Vec<Vec<String>>, Vec<BadRow>) {
        let marks = Marks::new(&Dialect::default());
        let quoted = text.contains('"');
        let block = Block { bytes: text.into(), end: text.len(), quoted, ..Block::default() };
        let (mut index, mut bad) = (Index::default(), Vec::new());
        let kept: Result<(), ()> = index.build(&block, marks, columns, |row| {
            bad.push(row);
            Ok(())
        });
        kept.unwrap();
        let rows = index.rows(&block, marks, 0, usize::MAX);
        let text = |row, column| String::from_utf8(rows.field(row, column).text().to_vec()).unwrap();
        let row = |row| (0..columns).map(|column| text(row, column)).collect();
        ((0..rows.count).map(row).collect(), bad)
    }

    #[test]
    fn regular_rows_share_their_ends() {
        let (rows, bad) = read("a,\"b,\n\"\r\nlonger than that,d\n,\n", 2);
        assert_eq!(rows, [["a", "b,\n"], ["longer than that", "d"], ["", ""]]);
        assert_eq!(bad, []);
    }

    #[test]
    fn blank_lines_and_bad_rows_are_taken_out() {
        let (rows, bad) = read("\n1,2\n\r\n3\n4,5,6\n7,8\n \n", 2);
        assert_eq!(rows, [["1", "2"], ["7", "8"]]);
        let (three, four) = (BadRow { start: 7, end: 8, fields: 1 }, BadRow { start: 9, end: 14, fields: 3 });
        assert_eq!(bad, [three, four]);
    }

    #[test]
    fn as_many_ends_as_there_should_be_do_not_hide_a_bad_row() {
        let (rows, bad) = read("1\n2,3,4\n", 2);
        assert_eq!((rows.len(), bad.len()), (0, 2));
    }

    #[test]
    fn a_single_column_has_no_blank_rows() {
        assert_eq!(read("1\n\n \n\"\"\n2\n", 1).0, [["1"], [""], ["2"]]);
        assert_eq!(read("1,\n2\n", 1).1.len(), 1);
    }

    #[test]
    fn many_marks_in_a_row_are_all_found() {
        let text = format!("{}\n", ",".repeat(999)).repeat(3);
        let (rows, bad) = read(&text, 1000);
        assert_eq!((rows.len(), bad.len()), (3, 0));
    }

    #[test]
    fn the_first_row_is_that_which_is_not_blank() {
        let text = b"\n \na,\"b\"\nc\n".to_vec();
        let block = Block { end: text.len(), quoted: true, bytes: text, ..Block::default() };
        let (fields, end) = first_row(&block, Marks::new(&Dialect::default())).unwrap();
        assert_eq!(fields.iter().map(|field| field.text()).collect::<Vec<_>>(), [b"a".as_slice(), b"\"b\""]);
        assert_eq!(end, 9);
    }
}
