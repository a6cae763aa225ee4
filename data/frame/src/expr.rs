use serde::{Deserialize, Serialize};

use crate::PythonCall;

/// What a column is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    Column(String),
    Literal(Value),
    Unary {
        op: Unary,
        operand: Box<Expr>,
    },
    Binary {
        op: Binary,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    IsIn {
        operand: Box<Expr>,
        values: Vec<Value>,
    },
    Cast {
        operand: Box<Expr>,
        kind: Kind,
    },
    /// `then` where `condition` holds, else `otherwise`.
    Where {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    Call {
        function: Function,
        arguments: Vec<Expr>,
    },
    /// Only among the aggregates of a frame, or in a window.
    Aggregate(Box<Aggregate>),
    Window(Box<Window>),
    Python(Box<PythonCall>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// Microseconds since 1970, without a time zone.
    Timestamp(i64),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Boolean,
    Integer,
    Float,
    Date,
    Timestamp,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unary {
    Not,
    Negate,
    IsNull,
    IsNotNull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Binary {
    Add,
    Subtract,
    Multiply,
    /// Always of floats, as in Python.
    Divide,
    /// Rounded down, as in Python.
    FloorDivide,
    /// Has the sign of the right side, as in Python.
    Modulo,
    Power,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// A function of the values of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Function {
    Abs,
    /// To so many digits after the point; half to even, as in Python.
    Round,
    Floor,
    Ceil,
    Sqrt,
    Exp,
    Ln,
    Lower,
    Upper,
    Strip,
    /// Characters of a text.
    Length,
    /// Whether a text holds another, taken as it stands.
    Contains,
    /// Whether a regular expression matches within a text.
    Matches,
    StartsWith,
    EndsWith,
    /// Two texts as one.
    Concat,
    Replace,
    /// The part of a text from a character on, counted from 0, so many characters long.
    Slice,
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// Monday is 0.
    DayOfWeek,
    /// The day of a time.
    ToDate,
    /// A time cut to `year`, `month`, `week`, `day`, `hour`, `minute` or `second`.
    Truncate,
    /// The first argument that is not null.
    Coalesce,
}

/// One value from many rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Rows, nulls included.
    CountRows,
    /// Values that are not null.
    Count(Expr),
    CountDistinct(Expr),
    Sum(Expr),
    Mean(Expr),
    Min(Expr),
    Max(Expr),
    /// The sample's standard deviation.
    StandardDeviation(Expr),
    /// The sample's variance.
    Variance(Expr),
    Median(Expr),
    /// Interpolated, `quantile` from 0 to 1.
    Quantile {
        operand: Expr,
        quantile: f64,
    },
    /// The first value that is not null.
    First(Expr),
    /// The last value that is not null.
    Last(Expr),
    /// The first value that is not null, of rows in this order.
    FirstBy {
        operand: Expr,
        order_by: Vec<SortKey>,
    },
    /// The last value that is not null, of rows in this order.
    LastBy {
        operand: Expr,
        order_by: Vec<SortKey>,
    },
}

/// A value for each row, made of the rows beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Window {
    pub function: WindowFunction,
    #[serde(default)]
    pub partition_by: Vec<Expr>,
    #[serde(default)]
    pub order_by: Vec<SortKey>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowFunction {
    RowNumber,
    Rank,
    DenseRank,
    /// The value so many rows before; a negative number looks ahead.
    Shift {
        operand: Expr,
        rows: i64,
    },
    /// Over the rows of the partition up to this one if there is an order, else over all of them.
    Aggregate(Aggregate),
}

/// By what rows are sorted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortKey {
    pub by: Expr,
    #[serde(default)]
    pub descending: bool,
    /// Nulls come last by default, whatever the direction.
    #[serde(default)]
    pub nulls_first: bool,
}

/// The column of this name.
pub fn col(name: impl Into<String>) -> Expr {
    Expr::Column(name.into())
}

/// A constant.
pub fn lit(value: impl Into<Value>) -> Expr {
    Expr::Literal(value.into())
}

/// The number of rows.
pub fn count_rows() -> Expr {
    Aggregate::CountRows.into()
}

impl Expr {
    pub fn ascending(self) -> SortKey {
        SortKey { by: self, descending: false, nulls_first: false }
    }

    pub fn descending(self) -> SortKey {
        SortKey { by: self, descending: true, nulls_first: false }
    }

    /// The expressions that this one is made of.
    pub fn operands_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Column(_) | Self::Literal(_) => Vec::new(),
            Self::Unary { operand, .. } | Self::IsIn { operand, .. } | Self::Cast { operand, .. } => {
                vec![operand]
            }
            Self::Binary { left, right, .. } => vec![left, right],
            Self::Where { condition, then, otherwise } => vec![condition, then, otherwise],
            Self::Call { arguments, .. } => arguments.iter_mut().collect(),
            Self::Aggregate(aggregate) => aggregate.operands_mut(),
            Self::Window(window) => window.operands_mut(),
            Self::Python(call) => call.arguments.iter_mut().collect(),
        }
    }

    #[must_use]
    pub fn binary(self, op: Binary, right: impl Into<Expr>) -> Self {
        Self::Binary { op, left: Box::new(self), right: Box::new(right.into()) }
    }

    #[must_use]
    pub fn equal(self, right: impl Into<Expr>) -> Self {
        self.binary(Binary::Equal, right)
    }

    #[must_use]
    pub fn greater(self, right: impl Into<Expr>) -> Self {
        self.binary(Binary::Greater, right)
    }

    #[must_use]
    pub fn less(self, right: impl Into<Expr>) -> Self {
        self.binary(Binary::Less, right)
    }

    #[must_use]
    pub fn and(self, right: impl Into<Expr>) -> Self {
        self.binary(Binary::And, right)
    }

    #[must_use]
    pub fn or(self, right: impl Into<Expr>) -> Self {
        self.binary(Binary::Or, right)
    }

    #[must_use]
    pub fn call(function: Function, arguments: impl IntoIterator<Item = Expr>) -> Self {
        Self::Call { function, arguments: arguments.into_iter().collect() }
    }

    #[must_use]
    pub fn sum(self) -> Self {
        Aggregate::Sum(self).into()
    }

    #[must_use]
    pub fn mean(self) -> Self {
        Aggregate::Mean(self).into()
    }

    #[must_use]
    pub fn min(self) -> Self {
        Aggregate::Min(self).into()
    }

    #[must_use]
    pub fn max(self) -> Self {
        Aggregate::Max(self).into()
    }

    #[must_use]
    pub fn count(self) -> Self {
        Aggregate::Count(self).into()
    }

    #[must_use]
    pub fn count_distinct(self) -> Self {
        Aggregate::CountDistinct(self).into()
    }
}

impl Aggregate {
    fn operands_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::CountRows => Vec::new(),
            Self::Count(operand)
            | Self::CountDistinct(operand)
            | Self::Sum(operand)
            | Self::Mean(operand)
            | Self::Min(operand)
            | Self::Max(operand)
            | Self::StandardDeviation(operand)
            | Self::Variance(operand)
            | Self::Median(operand)
            | Self::Quantile { operand, .. }
            | Self::First(operand)
            | Self::Last(operand) => vec![operand],
            Self::FirstBy { operand, order_by } | Self::LastBy { operand, order_by } => {
                std::iter::once(operand).chain(order_by.iter_mut().map(|key| &mut key.by)).collect()
            }
        }
    }
}

impl Window {
    fn operands_mut(&mut self) -> Vec<&mut Expr> {
        let of_function = match &mut self.function {
            WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank => Vec::new(),
            WindowFunction::Shift { operand, .. } => vec![operand],
            WindowFunction::Aggregate(aggregate) => aggregate.operands_mut(),
        };
        let order = self.order_by.iter_mut().map(|key| &mut key.by);
        of_function.into_iter().chain(&mut self.partition_by).chain(order).collect()
    }
}

impl From<Aggregate> for Expr {
    fn from(aggregate: Aggregate) -> Self {
        Self::Aggregate(Box::new(aggregate))
    }
}

impl From<Window> for Expr {
    fn from(window: Window) -> Self {
        Self::Window(Box::new(window))
    }
}

impl<V: Into<Value>> From<V> for Expr {
    fn from(value: V) -> Self {
        Self::Literal(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
