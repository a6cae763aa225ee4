//! Schedules by the calendar.

use std::fmt;
use std::str::FromStr;

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Result};
use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::calendar::Calendar;
use crate::field::Field;
use crate::{CrontabFields, Zone, expression};

/// The longest wait for a date that comes at all: a 29 February on a given day of the week, where the year that ends a
/// century has none.
const WAIT_YEARS_MAX: i16 = 40;

/// Celery's crontab: ticks at the local times that all of its five fields match, at second 0.
///
/// - A tick needs a match of *all* fields, days of the month and of the week included; Unix cron takes either.
/// - A step counts from the beginning of its range, and begins anew with the range: `*/2` for the day of the month is
///   every odd day, the 31st and the 1st in a row.
/// - Ranges may wrap around (`fri-mon`, `22-4`). Names count by their first three letters, in any case.
///
/// It is stricter than Celery, which ignores what follows a readable beginning (`*/2-5`), and reads names of days for
/// months and minutes. It takes 7 for Sunday, which Celery refuses.
///
/// # Daylight saving
///
/// Fields are compared with the time that clocks of the [`Zone`] show.
///
/// - **Clocks go forward:** the local times between do not exist, and what they match does not tick; the next tick is
///   the next matching time that does exist. In Berlin `30 2 * * *` leaves out the last Sunday of March, and
///   `*/30 * * * *` ticks at 1:30 and then at 3:00. Celery would run the former at 3:30.
/// - **Clocks go back:** a local time that comes twice ticks the first time only, as in Celery. So `*/30 * * * *` in
///   Berlin ticks at 2:30 and, 90 minutes later, at 3:00 in the last night of October.
///
/// What must come each day or in even steps is given an hour that clocks do not jump over, UTC, or an
/// [`Interval`](crate::Interval).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Crontab {
    fields: CrontabFields,
    calendar: Calendar,
}

impl Crontab {
    /// A crontab of these fields. `BadSetting` if one cannot be read, or if no month has one of the days, such as the
    /// 30 February.
    pub fn new(fields: CrontabFields) -> Result<Self> {
        let calendar = Calendar {
            minute: expression::parse(Field::Minute, &fields.minute)?,
            hour: expression::parse(Field::Hour, &fields.hour)?,
            day_of_week: expression::parse(Field::DayOfWeek, &fields.day_of_week)?,
            day_of_month: expression::parse(Field::DayOfMonth, &fields.day_of_month)?,
            month_of_year: expression::parse(Field::MonthOfYear, &fields.month_of_year)?,
        };
        if !calendar.has_a_day() {
            let CrontabFields { day_of_month, month_of_year, .. } = &fields;
            let message =
                format!("day_of_month `{day_of_month}` never comes in month_of_year `{month_of_year}`");
            return Err(Error::new(Code::BadSetting, message));
        }
        Ok(Self { fields, calendar })
    }

    /// Reads the five fields in the order of Unix, `minute hour day-of-month month day-of-week`, between white space:
    /// `*/5 9-17 * * mon-fri`. `BadSetting` if there are not five, else as [`Crontab::new`].
    pub fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day_of_month, month_of_year, day_of_week] = parts[..] else {
            let message =
                format!("cannot read `{}` for crontab: it has not five fields", text.escape_debug());
            return Err(Error::new(Code::BadSetting, message)
                .checked(format!("fields: {}", parts.len()))
                .checked(
                    "accepted: minute hour day-of-month month day-of-week, as in `*/5 9-17 * * mon-fri`",
                ));
        };
        let [minute, hour, day_of_week, day_of_month, month_of_year] =
            [minute, hour, day_of_week, day_of_month, month_of_year].map(str::to_owned);
        Self::new(CrontabFields { minute, hour, day_of_week, day_of_month, month_of_year })
    }

    /// The fields as they were written.
    pub fn fields(&self) -> &CrontabFields {
        &self.fields
    }

    /// The first tick strictly after `last`. `None` if there is none within 40 years: the matching times fall into the
    /// hour that the zone's clocks leave out, or beyond the year 9999.
    pub fn next_after(&self, last: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut from = minute_after(zone.local(last)?)?;
        let year_max = from.year().saturating_add(WAIT_YEARS_MAX);
        loop {
            let local = self.calendar.next(from, year_max)?;
            if let Some(tick) = zone.first_instant(local).filter(|tick| *tick > last) {
                return Some(tick);
            }
            from = minute_after(local)?;
        }
    }
}

/// The next whole minute of the local clock.
fn minute_after(local: DateTime) -> Option<DateTime> {
    let minute = local.date().at(local.hour(), local.minute(), 0, 0);
    minute.checked_add(1.minute()).ok()
}

/// The five fields in the order of Unix, with the white space taken out.
impl fmt::Display for Crontab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CrontabFields { minute, hour, day_of_week, day_of_month, month_of_year } = &self.fields;
        for (text, end) in
            [(minute, " "), (hour, " "), (day_of_month, " "), (month_of_year, " "), (day_of_week, "")]
        {
            let items: Vec<&str> = text.split(',').map(str::trim).collect();
            write!(f, "{}{end}", items.join(","))?;
        }
        Ok(())
    }
}

impl FromStr for Crontab {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl Serialize for Crontab {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(serializer)
    }
}

/// From the five named fields, those not given being `*`, or from the text that [`Crontab::parse`] reads.
impl<'de> Deserialize<'de> for Crontab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CrontabVisitor)
    }
}

struct CrontabVisitor;

impl<'de> Visitor<'de> for CrontabVisitor {
    type Value = Crontab;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the fields of a crontab, or their text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Crontab, E> {
        Crontab::parse(text).map_err(|error| E::custom(error.message()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Crontab, A::Error> {
        let fields = CrontabFields::deserialize(MapAccessDeserializer::new(map))?;
        Crontab::new(fields).map_err(|error| serde::de::Error::custom(error.message()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fields_in_the_order_of_unix() {
        let crontab = Crontab::parse(" */5 9-17  1,15 * mon-fri ").unwrap();
        let fields = crontab.fields();
        assert_eq!((fields.minute.as_str(), fields.hour.as_str()), ("*/5", "9-17"));
        assert_eq!((fields.day_of_month.as_str(), fields.month_of_year.as_str()), ("1,15", "*"));
        assert_eq!(fields.day_of_week, "mon-fri");
        assert_eq!(crontab.to_string(), "*/5 9-17 1,15 * mon-fri");
    }

    #[test]
    fn a_line_without_five_fields_is_refused() {
        for text in ["", "* * * *", "* * * * * *", "@daily"] {
            let error = Crontab::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::BadSetting);
            assert_eq!(error.message(), format!("cannot read `{text}` for crontab: it has not five fields"));
        }
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let fields = CrontabFields { minute: "0, 30".into(), ..CrontabFields::default() };
        let crontab = Crontab::new(fields).unwrap();
        assert_eq!(crontab.to_string(), "0,30 * * * *");
        assert_eq!(Crontab::parse(&crontab.to_string()).unwrap().calendar, crontab.calendar);
    }

    #[test]
    fn a_day_that_never_comes_is_refused() {
        for text in ["0 0 30 2 *", "0 0 31 4,6,sep,11 *", "0 0 30-31 feb mon"] {
            let error = Crontab::parse(text).unwrap_err();
            assert!(error.message().contains("never comes"), "{error}");
        }
        assert!(Crontab::parse("0 0 29 2 mon").is_ok());
        assert!(Crontab::parse("0 0 31 2,3 *").is_ok());
    }

    #[test]
    fn a_leap_day_on_a_given_weekday_is_waited_for_over_the_turn_of_a_century() {
        let leap_mondays = Crontab::parse("0 0 29 2 mon").unwrap();
        let at = |text: &str| Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let next = leap_mondays.next_after(at("2072-02-29T00:00:00Z"), &Zone::utc());
        assert_eq!(next, Some(at("2112-02-29T00:00:00Z")));
    }

    #[test]
    fn times_beyond_the_calendar_have_no_next_tick() {
        let crontab = Crontab::parse("* * * * *").unwrap();
        for last in [i64::MIN, i64::MAX, 253_402_300_799_000] {
            assert_eq!(crontab.next_after(Timestamp(last), &Zone::utc()), None);
        }
    }
}
