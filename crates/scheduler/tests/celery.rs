//! Ticks against those of real Celery.

use cardoon_core::Timestamp;
use cardoon_scheduler::{Crontab, Zone};

const TABLE: &str = include_str!("celery_ticks.txt");

#[test]
fn crontabs_tick_when_celery_runs_them() {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let columns: Vec<&str> = row.split(" | ").collect();
        let [zone, crontab, start, next] = columns[..] else { panic!("four columns: {row}") };
        let start = Timestamp(start.parse::<jiff::Timestamp>().unwrap().as_millisecond());
        let tick = Crontab::parse(crontab).unwrap().next_after(start, &Zone::named(zone).unwrap());
        let tick = tick.map(|tick| jiff::Timestamp::from_millisecond(tick.0).unwrap().to_string());
        assert_eq!(tick.as_deref(), Some(next), "{row}");
        count += 1;
    }
    assert!(count >= 60, "the table has {count} rows");
}
