//! Crontabs against a walk over every minute.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;

use cardoon_core::Timestamp;
use cardoon_scheduler::{Crontab, Schedule, Zone};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;

const MINUTE: i64 = 60_000;
const WALK_MINUTES: i64 = 3 * 24 * 60;
/// Where and when clocks change, and times at which nothing happens.
const CHANGES: [(&str, &str); 12] = [
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
    ("Asia/Shanghai", "2026-03-29T01:00:00Z"),
    ("Asia/Kathmandu", "2026-10-25T01:00:00Z"),
    ("UTC", "2028-02-28T23:00:00Z"),
    ("UTC", "2026-12-31T23:00:00Z"),
];

/// The text of a field, and the numbers it stands for, expanded by plain counting.
type Field = (String, BTreeSet<i64>);

/// Numbers from `from` on, every `step`th up to `to`, going on at `low` after `high`.
fn count(from: i64, to: i64, step: i64, low: i64, high: i64) -> BTreeSet<i64> {
    let length = if from <= to { to - from } else { high - from + 1 + to - low };
    (0..=length).step_by(step as usize).map(|n| low + (from - low + n) % (high - low + 1)).collect()
}

fn item(low: i64, high: i64) -> impl Strategy<Value = Field> {
    let number = low..=high;
    prop_oneof![
        number.clone().prop_map(|n| (n.to_string(), BTreeSet::from([n]))),
        (1..=high).prop_map(move |step| (format!("*/{step}"), count(low, high, step, low, high))),
        (number.clone(), number.clone())
            .prop_map(move |(a, b)| (format!("{a}-{b}"), count(a, b, 1, low, high))),
        (number.clone(), number, 1..=5i64)
            .prop_map(move |(a, b, step)| (format!("{a}-{b}/{step}"), count(a, b, step, low, high))),
    ]
}

/// A field that is a star in `stars` of ten cases.
fn field(low: i64, high: i64, stars: u32) -> impl Strategy<Value = Field> {
    let list = prop::collection::vec(item(low, high), 1..4).prop_map(|items| {
        let texts: Vec<String> = items.iter().map(|(text, _)| text.clone()).collect();
        (texts.join(","), items.into_iter().flat_map(|(_, values)| values).collect())
    });
    prop_oneof![
        stars => Just(("*".to_owned(), (low..=high).collect())),
        10 - stars => list,
    ]
}

/// Fields in the order of Unix.
fn fields() -> impl Strategy<Value = [Field; 5]> {
    let date = (field(1, 31, 7), field(1, 12, 8), field(0, 6, 7));
    (field(0, 59, 2), field(0, 23, 5), date)
        .prop_map(|(minute, hour, (day, month, weekday))| [minute, hour, day, month, weekday])
}

/// A zone, and a time near one of its changes.
fn start() -> impl Strategy<Value = (&'static str, i64)> {
    let minutes = prop_oneof![3 => -150..150i64, 1 => -WALK_MINUTES / 2..0];
    let rest = prop_oneof![Just(0), 0..MINUTE];
    (prop::sample::select(CHANGES.to_vec()), minutes, rest).prop_map(|((zone, change), minutes, rest)| {
        (zone, change.parse::<jiff::Timestamp>().unwrap().as_millisecond() + minutes * MINUTE + rest)
    })
}

fn crontab(fields: &[Field; 5]) -> Crontab {
    let texts: Vec<&str> = fields.iter().map(|(text, _)| text.as_str()).collect();
    Crontab::parse(&texts.join(" ")).unwrap()
}

fn can_come(fields: &[Field; 5]) -> bool {
    let [_, _, (_, days), (_, months), _] = fields;
    let days_max =
        |month: &i64| if *month == 2 { 29 } else { 30 + i64::from([1, 3, 5, 7, 8, 10, 12].contains(month)) };
    months.iter().any(|month| days.iter().any(|day| *day <= days_max(month)))
}

fn local(time: i64, zone: &TimeZone) -> DateTime {
    zone.to_datetime(jiff::Timestamp::from_millisecond(time).unwrap())
}

fn matches(fields: &[Field; 5], local: DateTime) -> bool {
    let weekday = local.weekday().to_sunday_zero_offset();
    let numbers = [local.minute(), local.hour(), local.day(), local.month(), weekday];
    fields.iter().zip(numbers).all(|((_, values), number)| values.contains(&i64::from(number)))
}

/// Whether clocks showed this minute before, within the last three hours.
fn is_repeated(time: i64, zone: &TimeZone) -> bool {
    let shown = local(time, zone);
    (1..=180).any(|minutes| local(time - minutes * MINUTE, zone) == shown)
}

/// The first matching minute after `start`, found by looking at each.
fn walk(fields: &[Field; 5], start: i64, zone: &TimeZone) -> Option<i64> {
    let first = (start.div_euclid(MINUTE) + 1) * MINUTE;
    let mut minutes = (0..WALK_MINUTES).map(|minutes| first + minutes * MINUTE);
    minutes.find(|time| matches(fields, local(*time, zone)) && !is_repeated(*time, zone))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_next_tick_is_the_first_matching_minute(fields in fields(), (zone, start) in start()) {
        prop_assume!(can_come(&fields));
        let time_zone = TimeZone::get(zone).unwrap();
        let tick = crontab(&fields).next_after(Timestamp(start), &Zone::named(zone).unwrap());
        match walk(&fields, start, &time_zone) {
            Some(expected) => prop_assert_eq!(tick, Some(Timestamp(expected))),
            None => prop_assert!(tick.is_none_or(|tick| tick.0 > start + (WALK_MINUTES - 1) * MINUTE)),
        }
        if let Some(tick) = tick {
            prop_assert!(tick.0 > start && tick.0 % MINUTE == 0);
            prop_assert!(matches(&fields, local(tick.0, &time_zone)));
        }
    }

    #[test]
    fn a_day_that_no_month_has_is_refused(day in 28..=31i64, months in field(1, 12, 0)) {
        let any = || ("*".to_owned(), BTreeSet::new());
        let line = format!("* * {day} {} *", months.0);
        let can_come = can_come(&[any(), any(), (day.to_string(), BTreeSet::from([day])), months, any()]);
        prop_assert_eq!(Crontab::parse(&line).is_ok(), can_come);
    }

    #[test]
    fn the_latest_tick_is_the_last_of_all_that_follow(
        fields in fields(), (zone, start) in start(), minutes in 0..2000i64
    ) {
        prop_assume!(can_come(&fields));
        let (schedule, zone) = (Schedule::from(crontab(&fields)), Zone::named(zone).unwrap());
        let (after, until) = (Timestamp(start), Timestamp(start + minutes * MINUTE));
        let following = std::iter::successors(Some(after), |last| schedule.next_after(*last, &zone));
        let last = following.skip(1).take_while(|tick| *tick <= until).last();
        prop_assert_eq!(schedule.latest_between(after, until, &zone), last);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,12}", line in "[0-9*/,a-z -]{0,24}") {
        let _ = Crontab::parse(&format!("{text} * * * {text}"));
        let _ = Crontab::parse(&line);
    }
}
