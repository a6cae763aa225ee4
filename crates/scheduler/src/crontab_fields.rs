//! The texts of a crontab's fields.

use std::fmt;

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What is written in each field of a crontab; `*` by default. The names are those of Celery's `crontab`.
///
/// Read with serde, a field may be a text, a number or a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrontabFields {
    /// 0 to 59.
    #[serde(deserialize_with = "text")]
    pub minute: String,
    /// 0 to 23.
    #[serde(deserialize_with = "text")]
    pub hour: String,
    /// 0 (Sunday) to 6, 7 (Sunday again), or `sun` to `sat`.
    #[serde(deserialize_with = "text")]
    pub day_of_week: String,
    /// 1 to 31.
    #[serde(deserialize_with = "text")]
    pub day_of_month: String,
    /// 1 to 12, or `jan` to `dec`.
    #[serde(deserialize_with = "text")]
    pub month_of_year: String,
}

impl Default for CrontabFields {
    fn default() -> Self {
        let star = || "*".to_owned();
        Self {
            minute: star(),
            hour: star(),
            day_of_week: star(),
            day_of_month: star(),
            month_of_year: star(),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    deserializer.deserialize_any(TextVisitor)
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a crontab expression, a number or a list of numbers")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<String, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = items.next_element::<i64>()? {
            numbers.push(number.to_string());
        }
        Ok(numbers.join(","))
    }
}
