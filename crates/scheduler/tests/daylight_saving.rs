//! The nights in which clocks change.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use cardoon_core::Timestamp;
use cardoon_scheduler::{Crontab, Schedule, Zone};

fn millis(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// The ticks after `start`, as the clocks of the zone show them, with their offset from UTC in hours.
fn ticks(crontab: &str, zone: &str, start: &str, count: usize) -> Vec<String> {
    let (crontab, named) = (Crontab::parse(crontab).unwrap(), Zone::named(zone).unwrap());
    let next = |last: &Timestamp| crontab.next_after(*last, &named);
    let local = |tick: Timestamp| {
        let tick = jiff::Timestamp::from_millisecond(tick.0).unwrap().in_tz(zone).unwrap();
        tick.strftime("%d %H:%M %:::z").to_string()
    };
    std::iter::successors(Some(millis(start)), next).skip(1).take(count).map(local).collect()
}

#[test]
fn in_berlin_a_time_that_does_not_exist_is_left_out() {
    let before = "2026-03-28T12:00:00Z";
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", before, 2), ["30 02:30 +02", "31 02:30 +02"]);
    assert_eq!(
        ticks("30 2,4 * * sun", "Europe/Berlin", before, 3),
        ["29 04:30 +02", "05 02:30 +02", "05 04:30 +02"]
    );
    assert_eq!(
        ticks("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
        ["29 01:30 +01", "29 03:00 +02", "29 03:30 +02"]
    );
}

#[test]
fn in_berlin_a_time_that_comes_twice_ticks_the_first_time() {
    assert_eq!(
        ticks("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
        ["25 02:30 +02", "26 02:30 +01"]
    );
    assert_eq!(
        ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z", 4),
        ["25 02:00 +02", "25 02:30 +02", "25 03:00 +01", "25 03:30 +01"]
    );
}

#[test]
fn a_start_in_the_repeated_hour_goes_on_after_it() {
    let second_pass = "2026-10-25T01:15:00Z";
    assert_eq!(ticks("*/30 * * * *", "Europe/Berlin", second_pass, 1), ["25 03:00 +01"]);
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", second_pass, 1), ["26 02:30 +01"]);
}

#[test]
fn in_new_york_clocks_change_on_other_days() {
    assert_eq!(
        ticks("15 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", 3),
        ["07 02:15 -05", "09 02:15 -04", "10 02:15 -04"]
    );
    assert_eq!(
        ticks("15 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2),
        ["01 01:15 -04", "02 01:15 -05"]
    );
    assert_eq!(
        ticks("0 9 * * *", "America/New_York", "2026-03-07T12:00:00Z", 2),
        ["07 09:00 -05", "08 09:00 -04"]
    );
}

#[test]
fn in_shanghai_clocks_do_not_change_any_more() {
    assert_eq!(
        ticks("30 2 * * *", "Asia/Shanghai", "2026-03-27T19:00:00Z", 3),
        ["29 02:30 +08", "30 02:30 +08", "31 02:30 +08"]
    );
    // They did until 1991: that year from 14 April 2:00 on.
    assert_eq!(
        ticks("30 2 * * *", "Asia/Shanghai", "1991-04-12T12:00:00Z", 2),
        ["13 02:30 +08", "15 02:30 +09"]
    );
}

#[test]
fn a_day_that_a_zone_left_out_has_no_ticks() {
    assert_eq!(
        ticks("0 12 * * *", "Pacific/Apia", "2011-12-28T23:00:00Z", 2),
        ["29 12:00 -10", "31 12:00 +14"]
    );
}

#[test]
fn a_crontab_whose_every_time_is_left_out_has_no_tick() {
    // In Egypt clocks go forward at midnight before the last Friday of April.
    let crontab = Crontab::parse("30 0 24-30 4 fri").unwrap();
    let cairo = Zone::named("Africa/Cairo").unwrap();
    assert_eq!(crontab.next_after(millis("2026-01-01T00:00:00Z"), &cairo), None);
    assert!(crontab.next_after(millis("2026-01-01T00:00:00Z"), &Zone::utc()).is_some());
}

#[test]
fn intervals_go_on_through_both_nights() {
    let hourly = Schedule::every(std::time::Duration::from_hours(1)).unwrap();
    let berlin = Zone::named("Europe/Berlin").unwrap();
    for night in ["2026-03-29T00:30:00Z", "2026-10-25T00:30:00Z"] {
        let tick = hourly.next_after(millis(night), &berlin).unwrap();
        assert_eq!(tick.since(millis(night)), std::time::Duration::from_mins(30));
    }
}
