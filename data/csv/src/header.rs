use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_schema::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kind::Kind;

/// The columns of a file, or of files that are read together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Header {
    /// Name and kind of each. No two have the same name.
    pub columns: Vec<(String, Kind)>,
}

impl Header {
    /// The columns for Arrow; each may have nulls.
    pub fn schema(&self) -> SchemaRef {
        let fields: Vec<Field> =
            self.columns.iter().map(|(name, kind)| Field::new(name, kind.arrow(), true)).collect();
        Arc::new(Schema::new(fields))
    }
}

/// The header of several files, each given with its name: the same columns, of kinds that hold the values of all.
/// A file without rows has columns of [`Kind::Null`], and so the others decide.
///
/// Fails with [`Error::HeadersDiffer`] if a file's columns have other names or another order than the first one's, and
/// with [`Error::NoFiles`] if there are none.
pub fn merge<'a>(headers: impl IntoIterator<Item = (&'a str, Header)>) -> Result<Header> {
    let mut headers = headers.into_iter();
    let (first, mut merged) = headers.next().ok_or(Error::NoFiles)?;
    for (file, header) in headers {
        check_same(file, names_of(&header), first, names_of(&merged))?;
        for (column, other) in merged.columns.iter_mut().zip(header.columns) {
            column.1 = column.1.wider(other.1);
        }
    }
    Ok(merged)
}

/// Fails with [`Error::HeadersDiffer`] on the first column whose name differs.
pub(crate) fn check_same<'a>(
    file: &str,
    found: impl Iterator<Item = &'a str>,
    other: &str,
    expected: impl Iterator<Item = &'a str>,
) -> Result<()> {
    let (mut found, mut expected) = (found.fuse(), expected.fuse());
    for position in 1.. {
        let (found, expected) = (found.next(), expected.next());
        if found != expected {
            let [found, expected] = [found, expected].map(|name| name.map(str::to_owned));
            let (file, other) = (file.to_owned(), other.to_owned());
            return Err(Error::HeadersDiffer { file, other, position, found, expected });
        }
        if found.is_none() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn names_of(header: &Header) -> impl Iterator<Item = &str> {
    header.columns.iter().map(|(name, _)| name.as_str())
}

/// Gives every column a name of its own, as pandas does: `a`, `a.1`, and `Unnamed: 2` for the third if it has none.
pub(crate) fn distinct(written: Vec<String>) -> Vec<String> {
    let named =
        |(index, name): (usize, String)| if name.is_empty() { format!("Unnamed: {index}") } else { name };
    let written: Vec<String> = written.into_iter().enumerate().map(named).collect();
    let mut taken: HashSet<String> = written.iter().cloned().collect();
    // How often a name was seen, or rather the next number to try with it.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let own = |name: String| {
        let Some(number) = numbers.get_mut(&name) else {
            numbers.insert(name.clone(), 1);
            return name;
        };
        loop {
            let new = format!("{name}.{number}");
            *number += 1;
            if taken.insert(new.clone()) {
                return new;
            }
        }
    };
    written.into_iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(columns: &[(&str, Kind)]) -> Header {
        Header { columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect() }
    }

    #[test]
    fn kinds_of_several_files_are_widened() {
        let merged = merge([
            ("1", header(&[("a", Kind::Int64), ("b", Kind::Null)])),
            ("2", header(&[("a", Kind::Float64), ("b", Kind::Date)])),
            ("3", header(&[("a", Kind::Null), ("b", Kind::Date)])),
        ]);
        assert_eq!(merged.unwrap(), header(&[("a", Kind::Float64), ("b", Kind::Date)]));
    }

    #[test]
    fn other_columns_are_refused_with_both_files() {
        let texts = |names: &[&str]| Header {
            columns: names.iter().map(|name| ((*name).to_owned(), Kind::Text)).collect(),
        };
        let error = |a: &[&str], b: &[&str]| {
            merge([("a.csv", texts(a)), ("b.csv", texts(b))]).unwrap_err().to_string()
        };
        assert_eq!(error(&["x", "y"], &["x", "z"]), "b.csv and a.csv differ in column 2: `z` and `y`");
        assert_eq!(error(&["x", "y"], &["x"]), "b.csv and a.csv differ in column 2: no such column and `y`");
        assert_eq!(error(&["x"], &["x", "y"]), "b.csv and a.csv differ in column 2: `y` and no such column");
        assert!(matches!(merge([]), Err(Error::NoFiles)));
    }

    #[test]
    fn every_column_gets_a_name_of_its_own() {
        let distinct = |names: &[&str]| distinct(names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(distinct(&["a", "a", "b", "a"]), ["a", "a.1", "b", "a.2"]);
        assert_eq!(distinct(&["a", "a.1", "a"]), ["a", "a.1", "a.2"]);
        assert_eq!(distinct(&["", "x", ""]), ["Unnamed: 0", "x", "Unnamed: 2"]);
        assert_eq!(distinct(&["Unnamed: 1", ""]), ["Unnamed: 1", "Unnamed: 1.1"]);
    }
}
