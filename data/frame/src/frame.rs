use serde::{Deserialize, Serialize};

use crate::{Expr, PythonFunction, Scan, SortKey};

/// A table that is still to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Frame {
    Scan(Scan),
    /// These columns and no others.
    Select {
        input: Box<Frame>,
        columns: Vec<Named>,
    },
    /// The rows for which a condition holds. A null does not hold.
    Filter {
        input: Box<Frame>,
        condition: Expr,
    },
    /// All columns, those of the same name replaced, new ones at the end.
    Assign {
        input: Box<Frame>,
        columns: Vec<Named>,
    },
    /// One row for each value of the keys; one row in all without keys. Rows whose key is null are left out, as in pandas,
    /// unless `keep_nulls`.
    Aggregate {
        input: Box<Frame>,
        keys: Vec<Named>,
        aggregates: Vec<Named>,
        #[serde(default)]
        keep_nulls: bool,
    },
    /// Rows of two frames whose keys are equal. A column that both have, and that is no key of the same name on both
    /// sides, gets one of the suffixes.
    Join {
        left: Box<Frame>,
        right: Box<Frame>,
        left_on: Vec<String>,
        right_on: Vec<String>,
        how: JoinKind,
        #[serde(default = "suffixes")]
        suffixes: (String, String),
    },
    Sort {
        input: Box<Frame>,
        by: Vec<SortKey>,
    },
    Limit {
        input: Box<Frame>,
        #[serde(default)]
        skip: usize,
        #[serde(default)]
        fetch: Option<usize>,
    },
    /// One row for each combination of the columns `on`, of all columns if there are none. Which row is not said.
    Distinct {
        input: Box<Frame>,
        #[serde(default)]
        on: Vec<String>,
    },
    /// All rows of all frames, which have the same columns.
    Concat {
        inputs: Vec<Frame>,
    },
    /// What a function of Python makes of the rows, some thousands at a time. Rows whose `keys` are equal are given to it
    /// together; those of a group come in the order of the files, or sorted by the columns `order`.
    Python {
        input: Box<Frame>,
        function: PythonFunction,
        #[serde(default)]
        keys: Vec<String>,
        #[serde(default)]
        order: Vec<String>,
    },
    /// A query in SQL over frames with names. It may name files as well: `select * from 'logs/*.csv'`.
    Sql {
        query: String,
        #[serde(default)]
        tables: Vec<(String, Frame)>,
    },
}

/// A column and its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Named {
    pub name: String,
    pub expr: Expr,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinKind {
    Inner,
    Left,
    Right,
    Outer,
    /// Rows of the left side that have a partner.
    Semi,
    /// Rows of the left side that have none.
    Anti,
}

/// A frame and the keys by which it is to be aggregated.
#[derive(Debug, Clone)]
pub struct Grouped {
    input: Frame,
    keys: Vec<Named>,
}

impl Frame {
    /// The files that a path or a pattern names.
    pub fn scan(path: impl Into<String>) -> Self {
        Self::Scan(Scan::new([path]))
    }

    pub fn sql(query: impl Into<String>) -> Self {
        Self::Sql { query: query.into(), tables: Vec::new() }
    }

    #[must_use]
    pub fn select<N: Into<Named>>(self, columns: impl IntoIterator<Item = N>) -> Self {
        Self::Select { input: Box::new(self), columns: named(columns) }
    }

    #[must_use]
    pub fn filter(self, condition: Expr) -> Self {
        Self::Filter { input: Box::new(self), condition }
    }

    #[must_use]
    pub fn assign<N: Into<Named>>(self, columns: impl IntoIterator<Item = N>) -> Self {
        Self::Assign { input: Box::new(self), columns: named(columns) }
    }

    pub fn group_by<N: Into<Named>>(self, keys: impl IntoIterator<Item = N>) -> Grouped {
        Grouped { input: self, keys: named(keys) }
    }

    /// Joins on columns that have the same names on both sides.
    #[must_use]
    pub fn join<'a>(self, right: Frame, on: impl IntoIterator<Item = &'a str>, how: JoinKind) -> Self {
        let on: Vec<String> = on.into_iter().map(Into::into).collect();
        Self::Join {
            left: Box::new(self),
            right: Box::new(right),
            left_on: on.clone(),
            right_on: on,
            how,
            suffixes: suffixes(),
        }
    }

    #[must_use]
    pub fn sort(self, by: impl IntoIterator<Item = SortKey>) -> Self {
        Self::Sort { input: Box::new(self), by: by.into_iter().collect() }
    }

    #[must_use]
    pub fn limit(self, rows: usize) -> Self {
        Self::Limit { input: Box::new(self), skip: 0, fetch: Some(rows) }
    }

    #[must_use]
    pub fn distinct(self) -> Self {
        Self::Distinct { input: Box::new(self), on: Vec::new() }
    }

    /// The frames that this one is made of.
    pub fn inputs(&self) -> Vec<&Self> {
        match self {
            Self::Scan(_) => Vec::new(),
            Self::Select { input, .. }
            | Self::Filter { input, .. }
            | Self::Assign { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. }
            | Self::Python { input, .. }
            | Self::Distinct { input, .. } => vec![input],
            Self::Join { left, right, .. } => vec![left, right],
            Self::Concat { inputs } => inputs.iter().collect(),
            Self::Sql { tables, .. } => tables.iter().map(|(_, frame)| frame).collect(),
        }
    }

    /// The paths and patterns that are read, as they were given. Those that a query in SQL names are not among them.
    pub fn paths(&self) -> Vec<&str> {
        let own = match self {
            Self::Scan(scan) => scan.paths.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        own.into_iter().chain(self.inputs().into_iter().flat_map(Self::paths)).collect()
    }
}

impl Grouped {
    #[must_use]
    pub fn aggregate<N: Into<Named>>(self, aggregates: impl IntoIterator<Item = N>) -> Frame {
        Frame::Aggregate {
            input: Box::new(self.input),
            keys: self.keys,
            aggregates: named(aggregates),
            keep_nulls: false,
        }
    }
}

impl<N: Into<String>> From<(N, Expr)> for Named {
    fn from((name, expr): (N, Expr)) -> Self {
        Self { name: name.into(), expr }
    }
}

impl From<&str> for Named {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), expr: Expr::Column(name.to_owned()) }
    }
}

fn named<N: Into<Named>>(columns: impl IntoIterator<Item = N>) -> Vec<Named> {
    columns.into_iter().map(Into::into).collect()
}

fn suffixes() -> (String, String) {
    ("_x".to_owned(), "_y".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{col, count_rows};

    fn whole() -> Frame {
        let users = Frame::scan("users.parquet");
        Frame::scan("logs/*.csv")
            .filter(col("action").equal("login"))
            .assign([("long", col("seconds").greater(60))])
            .join(users, ["user_id"], JoinKind::Left)
            .group_by(["user_id"])
            .aggregate([("n", count_rows()), ("mean", col("seconds").mean())])
            .sort([col("n").descending()])
            .limit(3)
    }

    #[test]
    fn a_frame_survives_json() {
        let json = serde_json::to_string(&whole()).unwrap();
        assert_eq!(serde_json::from_str::<Frame>(&json).unwrap(), whole());
    }

    #[test]
    fn what_other_languages_may_leave_out_has_defaults() {
        let json = r#"{"limit":{"input":{"scan":{"paths":["a.csv"]}},"fetch":2}}"#;
        assert_eq!(serde_json::from_str::<Frame>(json).unwrap(), Frame::scan("a.csv").limit(2));
        assert!(serde_json::from_str::<Frame>(r#"{"scan":{"paths":[],"sep":";"}}"#).is_err());
    }

    #[test]
    fn all_paths_of_a_tree_are_found() {
        assert_eq!(whole().paths(), ["logs/*.csv", "users.parquet"]);
    }
}
