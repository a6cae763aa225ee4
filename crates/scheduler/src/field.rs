//! The five fields of a crontab, and the numbers and names that each one takes.

/// A field of a crontab, named as in Celery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    Minute,
    Hour,
    /// 0 is Sunday.
    DayOfWeek,
    DayOfMonth,
    MonthOfYear,
}

const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

impl Field {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfWeek => "day_of_week",
            Self::DayOfMonth => "day_of_month",
            Self::MonthOfYear => "month_of_year",
        }
    }

    /// What a number or name may be, for people.
    pub(crate) fn accepted(self) -> &'static str {
        match self {
            Self::Minute => "a number from 0 to 59",
            Self::Hour => "a number from 0 to 23",
            Self::DayOfWeek => "a number from 0 to 7 or a name from sun to sat",
            Self::DayOfMonth => "a number from 1 to 31",
            Self::MonthOfYear => "a number from 1 to 12 or a name from jan to dec",
        }
    }

    /// The smallest and the largest value.
    pub(crate) fn bounds(self) -> (u8, u8) {
        match self {
            Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfWeek => (0, 6),
            Self::DayOfMonth => (1, 31),
            Self::MonthOfYear => (1, 12),
        }
    }

    /// Reads a number or a name. Days of the week may be 7, which is Sunday as well. Of a name the first three letters
    /// count, in any case, as in Celery.
    pub(crate) fn read(self, text: &str) -> Option<u8> {
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            let (least, most) = self.bounds();
            let most = if self == Self::DayOfWeek { 7 } else { most };
            return text.parse().ok().filter(|number| (least..=most).contains(number));
        }
        let abbreviation = text.get(..3).filter(|_| text.chars().all(char::is_alphabetic))?;
        let (names, first) = match self {
            Self::DayOfWeek => (DAYS, 0),
            Self::MonthOfYear => (MONTHS, 1),
            Self::Minute | Self::Hour | Self::DayOfMonth => return None,
        };
        let position = names.iter().position(|name| name.eq_ignore_ascii_case(abbreviation))?;
        Some(position as u8 + first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_their_first_three_letters_in_any_case() {
        assert_eq!(Field::DayOfWeek.read("Sunday"), Some(0));
        assert_eq!(Field::DayOfWeek.read("SAT"), Some(6));
        assert_eq!(Field::MonthOfYear.read("jan"), Some(1));
        assert_eq!(Field::MonthOfYear.read("DECEMBER"), Some(12));
        for text in ["", "su", "xyz", "周日", "mon1", "日曜日"] {
            assert_eq!(Field::DayOfWeek.read(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_read_within_their_range() {
        assert_eq!(Field::Minute.read("059"), Some(59));
        assert_eq!(Field::DayOfWeek.read("7"), Some(7));
        for text in ["60", "999", "-1", "+1", "1_0", "mon"] {
            assert_eq!(Field::Minute.read(text), None, "{text}");
        }
        assert_eq!(Field::DayOfMonth.read("0"), None);
        assert_eq!(Field::MonthOfYear.read("13"), None);
    }
}
