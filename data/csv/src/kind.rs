use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::field::Field;
use crate::value;

/// What the values of a column are.
///
/// ```text
///                  Text
///        ┌───────────┼─────────────┐
///    Boolean      Float64      Timestamp
///        │           │             │
///        │         Int64         Date
///        └───────────┼─────────────┘
///                  Null
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// No value was seen, only nulls or no rows at all. It is shown to Arrow as text.
    Null,
    /// `true`, `True`, `TRUE`, and the same of `false`.
    Boolean,
    /// A whole number of 64 bits; leading zeros, `+` and blanks around it are passed over, as pandas does.
    Int64,
    /// Any other number, also `inf`. A whole number that does not fit into 64 bits is text where it decides the
    /// kind, so that no digit is lost, and is read as a float in a column that is known to hold floats.
    Float64,
    /// `2026-01-31`
    Date,
    /// `2026-01-31 12:00`, with `T` or a blank, with or without seconds and a fraction, in microseconds. A time with
    /// a zone is text, and so is one that microseconds cannot hold.
    Timestamp,
    Text,
}

impl Kind {
    /// The kind of a field that is not null.
    pub fn of(text: &[u8]) -> Self {
        [Self::Boolean, Self::Int64, Self::Float64, Self::Date, Self::Timestamp]
            .into_iter()
            .find(|kind| kind.accepts(text) && !(*kind == Self::Float64 && value::is_whole(text)))
            .unwrap_or(Self::Text)
    }

    /// The narrowest kind that holds the values of both.
    #[must_use]
    pub fn wider(self, other: Self) -> Self {
        match (self, other) {
            (same, with) if same == with => same,
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Int64, Self::Float64) | (Self::Float64, Self::Int64) => Self::Float64,
            (Self::Date, Self::Timestamp) | (Self::Timestamp, Self::Date) => Self::Timestamp,
            _ => Self::Text,
        }
    }

    /// The type of its Arrow arrays.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Null | Self::Text => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Int64 => DataType::Int64,
            Self::Float64 => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }

    /// Whether a column of this kind can hold `text`.
    pub(crate) fn accepts(self, text: &[u8]) -> bool {
        let field = Field::of(text);
        match self {
            Self::Null => false,
            Self::Boolean => value::boolean(field).is_some(),
            Self::Int64 => value::int(field.trimmed()).is_some(),
            Self::Float64 => value::float(field.trimmed()).is_some(),
            Self::Date => value::date(field).is_some(),
            Self::Timestamp => value::timestamp(field).is_some(),
            Self::Text => true,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int64 => "whole number",
            Self::Float64 => "number",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::Text => "text",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Kind; 7] =
        [Kind::Null, Kind::Boolean, Kind::Int64, Kind::Float64, Kind::Date, Kind::Timestamp, Kind::Text];

    #[test]
    fn a_text_is_of_the_narrowest_kind_that_holds_it() {
        let kinds = [
            ("True", Kind::Boolean),
            ("tRUE", Kind::Text),
            ("007", Kind::Int64),
            (" 1", Kind::Int64),
            ("-9223372036854775808", Kind::Int64),
            ("9223372036854775808", Kind::Text),
            ("1e5", Kind::Float64),
            ("1.", Kind::Float64),
            ("-inf", Kind::Float64),
            ("1_000", Kind::Text),
            ("0x1F", Kind::Text),
            ("2026-02-28", Kind::Date),
            ("2026-02-29", Kind::Text),
            ("2026-02-28 23:59", Kind::Timestamp),
            ("2026-02-28T23:59:59.123456", Kind::Timestamp),
            ("2026-02-28T23:59:59Z", Kind::Text),
            ("", Kind::Text),
            ("-", Kind::Text),
        ];
        for (text, kind) in kinds {
            assert_eq!(Kind::of(text.as_bytes()), kind, "{text}");
        }
    }

    #[test]
    fn kinds_are_a_lattice() {
        for a in ALL {
            assert_eq!(a.wider(a), a);
            assert_eq!(a.wider(Kind::Null), a);
            assert_eq!(a.wider(Kind::Text), Kind::Text, "{a}");
            for b in ALL {
                assert_eq!(a.wider(b), b.wider(a));
                for c in ALL {
                    assert_eq!(a.wider(b).wider(c), a.wider(b.wider(c)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_wider_kind_holds_what_either_holds(text in "[-+0-9.e: Ttrue]{0,20}", other in 0..ALL.len()) {
            let kind = Kind::of(text.as_bytes());
            prop_assert!(kind.wider(ALL[other]).accepts(text.as_bytes()));
        }
    }
}
