//! Which local times a crontab matches.

use jiff::civil::{Date, DateTime};

use crate::values::Values;

/// The numbers that each field matches. A time matches if all five do, as in Celery: in Unix cron a day needs to match
/// only one of its two fields when both are restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Calendar {
    pub(crate) minute: Values,
    pub(crate) hour: Values,
    pub(crate) day_of_week: Values,
    pub(crate) day_of_month: Values,
    pub(crate) month_of_year: Values,
}

/// Days of the months in a leap year.
const DAYS_MAX: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Calendar {
    /// Whether some month has one of the days.
    pub(crate) fn has_a_day(&self) -> bool {
        let months = (1..).zip(DAYS_MAX).filter(|(month, _)| self.month_of_year.contains(*month));
        let first = self.day_of_month.first();
        first.is_some_and(|day| months.into_iter().any(|(_, days)| day <= days))
    }

    /// The first matching minute at or after `from`, which is a whole minute, in no later year than `year_max`.
    pub(crate) fn next(&self, from: DateTime, year_max: i16) -> Option<DateTime> {
        let date = self.next_date(from.date(), year_max)?;
        if date == from.date()
            && let Some((hour, minute)) = self.next_time(from.hour() as u8, from.minute() as u8)
        {
            return Some(at(date, hour, minute));
        }
        let date = if date == from.date() { self.next_date(date.tomorrow().ok()?, year_max)? } else { date };
        Some(at(date, self.hour.first()?, self.minute.first()?))
    }

    fn next_date(&self, from: Date, year_max: i16) -> Option<Date> {
        let mut date = from;
        while date.year() <= year_max {
            if !self.month_of_year.contains(date.month() as u8) {
                date = date.last_of_month().tomorrow().ok()?;
            } else if self.matches_day(date) {
                return Some(date);
            } else {
                date = date.tomorrow().ok()?;
            }
        }
        None
    }

    fn matches_day(&self, date: Date) -> bool {
        let weekday = date.weekday().to_sunday_zero_offset() as u8;
        self.day_of_month.contains(date.day() as u8) && self.day_of_week.contains(weekday)
    }

    /// The first matching time of a day, at or after the given one.
    fn next_time(&self, hour: u8, minute: u8) -> Option<(u8, u8)> {
        let this_hour = self.minute.at_or_after(minute).filter(|_| self.hour.contains(hour));
        match this_hour {
            Some(minute) => Some((hour, minute)),
            None => Some((self.hour.at_or_after(hour + 1)?, self.minute.first()?)),
        }
    }
}

fn at(date: Date, hour: u8, minute: u8) -> DateTime {
    date.at(hour as i8, minute as i8, 0, 0)
}
