use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The words that pandas takes for a missing value, in a column of any kind, quoted or not.
const NULL_VALUES: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// How the files are written.
///
/// Rows end with `\n` or `\r\n`; the last one may lack its end. A byte order mark and blank lines are passed over.
/// A quote has a meaning only where a field begins: within a quoted field delimiters and line ends are text, and a
/// doubled quote stands for one. A quote within an unquoted field is text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// Default: a comma.
    pub delimiter: u8,
    /// Default: `"`.
    pub quote: u8,
    /// The first row names the columns; default: yes. Without it they are named by their position: `0`, `1`, …
    pub header: bool,
    /// Fields that are null, in a column of any kind, quoted or not. Default: the empty field, and the words that
    /// pandas knows, such as `NA`, `NaN` and `null`.
    pub null_values: Vec<String>,
}

impl Default for Dialect {
    fn default() -> Self {
        let null_values = NULL_VALUES.map(str::to_owned).to_vec();
        Self { delimiter: b',', quote: b'"', header: true, null_values }
    }
}

impl Dialect {
    pub(crate) fn check(&self) -> Result<()> {
        let is_line_end = |byte| byte == b'\n' || byte == b'\r';
        if is_line_end(self.delimiter) || is_line_end(self.quote) {
            return Err(Error::BadDialect("the delimiter and the quote cannot be line ends"));
        }
        if self.delimiter == self.quote {
            return Err(Error::BadDialect("the delimiter and the quote must differ"));
        }
        if !self.delimiter.is_ascii() || !self.quote.is_ascii() {
            return Err(Error::BadDialect("the delimiter and the quote must be ASCII"));
        }
        Ok(())
    }
}
