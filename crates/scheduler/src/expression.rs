//! What is written in one field of a crontab.

use cardoon_errors::{Code, Error, Result};

use crate::field::Field;
use crate::values::Values;

const FORMS: &str = "`*`, `*/5`, `7`, `1-5`, `8-17/3`, and several of them joined by commas";

/// Reads an expression such as `0,30` or `8-17/3`: the numbers that `field` matches.
pub(crate) fn parse(field: Field, text: &str) -> Result<Values> {
    let items = text.split(',').map(|item| item_values(field, item.trim()));
    let items: Result<Vec<Vec<u8>>, String> = items.collect();
    match items {
        Ok(items) => Ok(items.into_iter().flatten().collect()),
        Err(reason) => Err(unreadable(field, text, &reason)),
    }
}

/// The numbers of one item between commas. A step counts along the range as it is written, also where the range wraps
/// around: `22-3/2` is 22, 0, 2.
fn item_values(field: Field, item: &str) -> Result<Vec<u8>, String> {
    let Some((range, step)) = item.split_once('/') else {
        return range_values(field, item);
    };
    if range != "*" && !range.contains('-') {
        return Err(format!(
            "`{item}` has a step without `*` or a range before it",
            item = item.escape_debug()
        ));
    }
    let values = range_values(field, range)?;
    Ok(values.into_iter().step_by(read_step(step)?).collect())
}

fn range_values(field: Field, range: &str) -> Result<Vec<u8>, String> {
    let (low, high) = field.bounds();
    let (from, to) = match range.split_once('-') {
        _ if range == "*" => (low, high),
        Some((from, to)) => (read_value(field, from)?, read_value(field, to)?),
        None => {
            let value = read_value(field, range)?;
            (value, value)
        }
    };
    let values: Vec<u8> =
        if from <= to { (from..=to).collect() } else { (from..=high).chain(low..=to).collect() };
    let is_week = field == Field::DayOfWeek;
    Ok(values.into_iter().map(|value| if is_week { value % 7 } else { value }).collect())
}

fn read_value(field: Field, text: &str) -> Result<u8, String> {
    field.read(text).ok_or_else(|| format!("`{}` is not {}", text.escape_debug(), field.accepted()))
}

fn read_step(text: &str) -> Result<usize, String> {
    let number = Some(text).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let step = number.and_then(|text| text.parse().ok()).filter(|step| *step > 0);
    step.ok_or_else(|| format!("the step `{}` is not a whole number from 1 on", text.escape_debug()))
}

fn unreadable(field: Field, text: &str, reason: &str) -> Error {
    let message = format!("cannot read `{}` for {}: {reason}", text.escape_debug(), field.name());
    Error::new(Code::BadSetting, message)
        .checked(format!("accepted: {FORMS}"))
        .checked(format!("a number or name: {}", field.accepted()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(field: Field, text: &str) -> Vec<u8> {
        let values = parse(field, text).unwrap();
        std::iter::successors(values.first(), |value| values.at_or_after(value + 1)).collect()
    }

    fn refusal(field: Field, text: &str) -> String {
        let error = parse(field, text).unwrap_err();
        assert_eq!(error.code(), Code::BadSetting);
        error.message().to_owned()
    }

    #[test]
    fn stars_ranges_steps_and_lists_are_expanded() {
        assert_eq!(values(Field::Minute, "*/15"), [0, 15, 30, 45]);
        assert_eq!(values(Field::Minute, "0, 30"), [0, 30]);
        assert_eq!(values(Field::Hour, "8-17/3"), [8, 11, 14, 17]);
        assert_eq!(values(Field::MonthOfYear, "*/2,3"), [1, 3, 5, 7, 9, 11]);
        assert_eq!(values(Field::MonthOfYear, "*/6,feb"), [1, 2, 7]);
        assert_eq!(values(Field::DayOfMonth, "*/10"), [1, 11, 21, 31]);
        assert_eq!(values(Field::Hour, "*/100"), [0]);
        assert_eq!(values(Field::Minute, "*").len(), 60);
    }

    #[test]
    fn ranges_wrap_around_and_steps_count_along_them() {
        assert_eq!(values(Field::DayOfWeek, "fri-mon"), [0, 1, 5, 6]);
        assert_eq!(values(Field::Hour, "22-3/2"), [0, 2, 22]);
        assert_eq!(values(Field::MonthOfYear, "nov-feb"), [1, 2, 11, 12]);
        assert_eq!(values(Field::DayOfMonth, "30-2"), [1, 2, 30, 31]);
    }

    #[test]
    fn seven_is_a_sunday_wherever_it_stands() {
        for (text, days) in [
            ("7", vec![0]),
            ("7-7", vec![0]),
            ("5-7", vec![0, 5, 6]),
            ("7-2", vec![0, 1, 2]),
            ("0-7", vec![0, 1, 2, 3, 4, 5, 6]),
            ("1-7/2", vec![0, 1, 3, 5]),
        ] {
            assert_eq!(values(Field::DayOfWeek, text), days, "{text}");
        }
    }

    #[test]
    fn a_refusal_names_the_field_the_text_and_the_range() {
        assert_eq!(
            refusal(Field::Minute, "0,61"),
            "cannot read `0,61` for minute: `61` is not a number from 0 to 59"
        );
        assert_eq!(
            refusal(Field::DayOfWeek, "mon-x"),
            "cannot read `mon-x` for day_of_week: `x` is not a number from 0 to 7 or a name from sun to sat"
        );
        assert_eq!(
            refusal(Field::Hour, "*/0"),
            "cannot read `*/0` for hour: the step `0` is not a whole number from 1 on"
        );
        assert_eq!(
            refusal(Field::Hour, "5/2"),
            "cannot read `5/2` for hour: `5/2` has a step without `*` or a range before it"
        );
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let texts =
            ["", ",", "1,", "*5", "**", "1-", "-1", "1-2-3", "*/", "*/2-5", "*/+2", "1-5x", "1 5", "?", "L"];
        for text in texts {
            refusal(Field::Minute, text);
        }
        refusal(Field::Minute, "*/99999999999999999999999");
        refusal(Field::Minute, "mon");
        refusal(Field::DayOfWeek, "jan");
    }
}
