//! What a query answered, summed up so that answers can be compared whatever the order of their rows.
//!
//! `benches/peers/data/answer.py` sums up the same way.

use std::borrow::Cow;
use std::str::FromStr;

use anyhow::{Context, Result, ensure};
use jiff::{civil::DateTime, tz::TimeZone};
use serde::Deserialize;

use crate::queries::Kind;

/// Sums of floats depend on the order of their parts, a little.
const TOLERANCE: f64 = 1e-9;
/// Quotients of decimals are cut off after some of their decimals, or are not.
const TOLERANCE_OF_DECIMALS: f64 = 1e-6;
/// Which matters more in small ones.
const LEAST_OF_DECIMALS: f64 = 0.01;
/// Float columns are weighted by their rows, so that values of two rows cannot be exchanged unseen.
const WEIGHTS: u64 = 1009;

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Answer {
    rows: u64,
    /// The sum of the rows' hashes, in which all columns take part that are exact.
    checksum: u64,
    /// The weighted sum of each column of floats or decimals.
    floats: Vec<f64>,
}

impl Answer {
    /// Sums up rows of CSV under a header. Texts of several lines are not expected.
    pub(crate) fn of_csv(text: &str, columns: &[Kind]) -> Result<Self> {
        let floats = columns.iter().filter(|kind| kind.is_inexact()).count();
        let mut answer = Self { floats: vec![0.0; floats], ..Self::default() };
        for (row, line) in text.lines().enumerate().skip(1) {
            answer.add(line, columns).with_context(|| format!("row {row} of the answer is {line:?}"))?;
        }
        Ok(answer)
    }

    fn add(&mut self, line: &str, columns: &[Kind]) -> Result<()> {
        let fields = fields(line);
        ensure!(fields.len() == columns.len(), "it has {} fields, not {}", fields.len(), columns.len());
        let mut hash = 0;
        for (field, kind) in fields.iter().zip(columns).filter(|(_, kind)| !kind.is_inexact()) {
            hash = mix(hash, word(field, *kind)?);
        }
        let weight = (hash % WEIGHTS + 1) as f64;
        let floats = fields.iter().zip(columns).filter(|(_, kind)| kind.is_inexact());
        for ((field, _), sum) in floats.zip(&mut self.floats) {
            *sum += parse::<f64>(field)? * weight;
        }
        self.rows += 1;
        self.checksum = self.checksum.wrapping_add(hash);
        Ok(())
    }

    /// Whether both are answers of these columns, and the same.
    pub(crate) fn agrees_with(&self, other: &Self, columns: &[Kind]) -> bool {
        let kinds: Vec<Kind> = columns.iter().copied().filter(|kind| kind.is_inexact()).collect();
        let has_all = |answer: &Self| answer.floats.len() == kinds.len();
        let mut floats = self.floats.iter().zip(&other.floats).zip(kinds.iter());
        self.rows == other.rows
            && self.checksum == other.checksum
            && has_all(self)
            && has_all(other)
            && floats.all(|((one, other), kind)| is_near(*one, *other, *kind))
    }
}

fn is_near(one: f64, other: f64, kind: Kind) -> bool {
    let largest = one.abs().max(other.abs());
    let tolerance = match kind {
        Kind::Decimal => (TOLERANCE_OF_DECIMALS * largest).max(LEAST_OF_DECIMALS),
        _ => TOLERANCE * largest,
    };
    (one - other).abs() <= tolerance
}

/// The fields of a line of CSV, without the quotes around them.
fn fields(line: &str) -> Vec<Cow<'_, str>> {
    let mut fields = Vec::new();
    let mut rest = Some(line);
    while let Some(line) = rest {
        let (field, after) = match line.strip_prefix('"') {
            Some(quoted) => split_after_quote(quoted),
            None => split_at_comma(line),
        };
        fields.push(field);
        rest = after;
    }
    fields
}

fn split_at_comma(line: &str) -> (Cow<'_, str>, Option<&str>) {
    line.split_once(',').map_or((line.into(), None), |(field, rest)| (field.into(), Some(rest)))
}

/// Splits what follows a quote at the comma behind the next one; two quotes are one of the text.
fn split_after_quote(line: &str) -> (Cow<'_, str>, Option<&str>) {
    let end = line.replace("\"\"", "__").find('"').unwrap_or(line.len());
    let field = line[..end].replace("\"\"", "\"");
    let rest = line[end..].strip_prefix("\",");
    (field.into(), rest)
}

fn mix(hash: u64, word: u64) -> u64 {
    let mixed = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 32)
}

/// A whole number itself, a time in seconds since 1970, a text's hash.
fn word(field: &str, kind: Kind) -> Result<u64> {
    match kind {
        Kind::Text => Ok(fnv1a(field)),
        Kind::Time => {
            let time = TimeZone::UTC.to_timestamp(parse::<DateTime>(field)?)?;
            Ok(time.as_second().cast_unsigned())
        }
        Kind::Integer | Kind::Float | Kind::Decimal => Ok(parse::<i64>(field)?.cast_unsigned()),
    }
}

fn parse<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(field: &str) -> Result<T> {
    field.parse().with_context(|| format!("cannot read {field:?}"))
}

fn fnv1a(text: &str) -> u64 {
    let step = |value: u64, byte: u8| (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::Kind::{Decimal, Float, Integer, Text, Time};
    use super::*;

    fn answer(text: &str, columns: &[Kind]) -> Answer {
        Answer::of_csv(text, columns).unwrap()
    }

    #[test]
    fn the_order_of_rows_does_not_count_and_what_is_in_a_row_does() {
        let columns = &[Text, Integer, Float];
        let one = answer("a,n,x\nlogin,1,0.1\nlogout,2,0.3\n", columns);
        let agrees = |text: &str| one.agrees_with(&answer(text, columns), columns);
        assert!(agrees("a,n,x\nlogout,2,0.3\nlogin,1,0.1\n"));
        assert!(agrees("a,n,x\nlogout,2,0.3\nlogin,1,0.10000000000000001\n"));
        for other in ["login,2,0.1\nlogout,1,0.3", "login,1,0.3\nlogout,2,0.1", "login,1,0.1", ""] {
            assert!(!agrees(&format!("a,n,x\n{other}")), "{other}");
        }
    }

    #[test]
    fn decimals_that_are_cut_off_agree_and_floats_do_not() {
        let means = [answer("x\n0.049985\n", &[Decimal]), answer("x\n0.04998529583825443\n", &[Decimal])];
        assert!(means[0].agrees_with(&means[1], &[Decimal]));
        assert!(!means[0].agrees_with(&means[1], &[Float]));
        let sums = [answer("x\n1500000.10\n", &[Decimal]), answer("x\n1500002.10\n", &[Decimal])];
        assert!(!sums[0].agrees_with(&sums[1], &[Decimal]));
    }

    #[test]
    fn an_answer_without_one_of_its_columns_does_not_agree() {
        let whole = answer("x,y\n0.5,1.5\n", &[Float, Float]);
        let other = answer("x\n0.5\n", &[Float]);
        assert!(!whole.agrees_with(&other, &[Float, Float]));
        assert!(!other.agrees_with(&other.clone(), &[Float, Float]));
    }

    #[test]
    fn quotes_are_taken_off_and_commas_between_them_are_text() {
        assert_eq!(fields("a,,\"b, c\",\"\",\"say \"\"no\"\"\""), ["a", "", "b, c", "", "say \"no\""]);
        assert_eq!(fields("\"\"\"no\"\", he said\",1"), ["\"no\", he said", "1"]);
        assert_eq!(fields("a,"), ["a", ""]);
    }

    /// The peers' program gives the same numbers for these columns.
    #[test]
    fn it_is_summed_up_as_the_peers_do() {
        let text =
            "n,a,t,x\n-7,login,2026-01-01T00:00:59,0.5\n9007199254740993,搜索,2026-01-02 03:04:05,1e3\n";
        let columns = &[Integer, Text, Time, Float];
        let summed = answer(text, columns);
        let theirs = r#"{"rows": 2, "checksum": 11232940655071529749, "floats": [171092.5]}"#;
        assert!(summed.agrees_with(&serde_json::from_str(theirs).unwrap(), columns), "{summed:?}");
    }

    #[test]
    fn a_field_that_is_no_number_is_named() {
        let error = Answer::of_csv("n\n1\nmany\n", &[Integer]).unwrap_err();
        assert_eq!(
            format!("{error:#}").split(": inv").next(),
            Some("row 2 of the answer is \"many\": cannot read \"many\"")
        );
        assert!(Answer::of_csv("n\n1,2\n", &[Integer]).is_err());
    }
}
