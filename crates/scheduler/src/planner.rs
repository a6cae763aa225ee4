//! Which ticks are due.

use std::collections::BTreeMap;

use cardoon_core::{TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};

use crate::entry::LATE_MAX;
use crate::{CatchUp, Entry, tick_id};

/// Holds the entries and the ticks they are past, and says what is due. It never reads a clock: whoever has one asks
/// [`Planner::plan`], sends what is due, reports that with [`Planner::record_sent`], and asks again at
/// [`Plan::wake_at`], or at once when it was woken before.
///
/// Of an entry at most one tick is due at a time: the latest that was not sent. What is not reported as sent stays due,
/// until a later tick of the same entry takes its place.
///
/// If the clock is set back, nothing is due before it has reached the last tick again, unless the planner is told; see
/// [`Planner::set_back`].
#[derive(Debug, Clone, Default)]
pub struct Planner<T> {
    entries: BTreeMap<String, Planned<T>>,
}

#[derive(Debug, Clone)]
struct Planned<T> {
    entry: Entry<T>,
    /// Ticks up to this one are past.
    last: Timestamp,
    /// The first tick after `last`.
    next: Option<Timestamp>,
}

/// What is to be done at a point in time.
#[derive(Debug, Clone)]
pub struct Plan<'a, T> {
    /// What to send now, the oldest tick first.
    pub due: Vec<Due<'a, T>>,
    /// The next tick of all entries after now; `None` if none comes. It takes for granted that what is due is sent.
    pub wake_at: Option<Timestamp>,
}

/// A tick to be sent.
#[derive(Debug, Clone)]
pub struct Due<'a, T> {
    pub entry: &'a Entry<T>,
    /// When it should have been sent: the present or earlier.
    pub tick: Timestamp,
}

impl<T> Due<'_, T> {
    /// The id to send it under, in the app named `app`; see [`tick_id`].
    pub fn id(&self, app: &str) -> TaskId {
        tick_id(app, &self.entry.name, self.tick)
    }
}

impl<T> Planner<T> {
    /// Without entries.
    pub fn new() -> Self {
        Self { entries: BTreeMap::new() }
    }

    /// Adds an entry whose tick `last_sent` was sent in an earlier life; one that never ran starts `now`. A tick in the
    /// future, sent by a clock that was wrong, counts as now. `BadSetting` if the name is taken.
    pub fn add(&mut self, entry: Entry<T>, last_sent: Option<Timestamp>, now: Timestamp) -> Result<()> {
        if self.entries.contains_key(&entry.name) {
            let message = format!("two periodic tasks have the name `{}`", entry.name.escape_debug());
            return Err(Error::new(Code::BadSetting, message));
        }
        let last = last_sent.map_or(now, |tick| tick.min(now));
        let next = entry.schedule.next_after(last, &entry.zone);
        self.entries.insert(entry.name.clone(), Planned { entry, last, next });
        Ok(())
    }

    /// The entries by name, each with its next tick that was not sent, which may be past.
    pub fn entries(&self) -> impl Iterator<Item = (&Entry<T>, Option<Timestamp>)> {
        self.entries.values().map(|planned| (&planned.entry, planned.next))
    }

    /// The entries by name, each with the tick up to which its ticks are past: what [`Self::add`] wants to know in the
    /// next life.
    pub fn past(&self) -> impl Iterator<Item = (&Entry<T>, Timestamp)> {
        self.entries.values().map(|planned| (&planned.entry, planned.last))
    }

    /// What is due at `now`, and when to ask again. Changes nothing.
    pub fn plan(&self, now: Timestamp) -> Plan<'_, T> {
        let mut due: Vec<_> = self.entries.values().filter_map(|planned| planned.due(now)).collect();
        due.sort_by_key(|due| due.tick);
        Plan { due, wake_at: self.entries.values().filter_map(|planned| planned.after(now)).min() }
    }

    /// Takes ticks after `now` for not sent: the clock was wrong and has been set back to `now`. Those that were sent are
    /// sent again, under the same ids.
    pub fn set_back(&mut self, now: Timestamp) {
        for planned in self.entries.values_mut().filter(|planned| planned.last > now) {
            planned.last = now;
            planned.next = planned.entry.schedule.next_after(now, &planned.entry.zone);
        }
    }

    /// Notes that the entry's ticks up to `tick` are past. An entry that is not known, and a tick older than the last
    /// one, change nothing.
    pub fn record_sent(&mut self, name: &str, tick: Timestamp) {
        if let Some(planned) = self.entries.get_mut(name).filter(|planned| planned.last < tick) {
            planned.last = tick;
            planned.next = planned.entry.schedule.next_after(tick, &planned.entry.zone);
        }
    }
}

impl<T> Planned<T> {
    fn due(&self, now: Timestamp) -> Option<Due<'_, T>> {
        self.next.filter(|next| *next <= now)?;
        let tick = self.entry.schedule.latest_between(self.last, now, &self.entry.zone)?;
        let wanted = match self.entry.catch_up {
            CatchUp::Latest => true,
            CatchUp::None => now.since(tick) <= LATE_MAX,
        };
        wanted.then_some(Due { entry: &self.entry, tick })
    }

    /// The first tick that is later than both the last one and `now`.
    fn after(&self, now: Timestamp) -> Option<Timestamp> {
        match self.next {
            Some(next) if next <= now => self.entry.schedule.next_after(now, &self.entry.zone),
            next => next,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Schedule, Zone};

    const MINUTE: i64 = 60_000;

    fn entry(name: &str, every_mins: u64, catch_up: CatchUp) -> Entry<()> {
        let schedule = Schedule::every(Duration::from_mins(every_mins)).unwrap();
        Entry { name: name.into(), schedule, zone: Zone::utc(), catch_up, task: () }
    }

    fn planner(entries: &[(Entry<()>, Option<i64>)], now: i64) -> Planner<()> {
        let mut planner = Planner::new();
        for (entry, last) in entries {
            planner.add(entry.clone(), last.map(Timestamp), Timestamp(now)).unwrap();
        }
        planner
    }

    /// Names and ticks that are due, and when to wake up.
    fn plan(planner: &Planner<()>, now: i64) -> (Vec<(&str, i64)>, Option<i64>) {
        let plan = planner.plan(Timestamp(now));
        let due = plan.due.iter().map(|due| (due.entry.name.as_str(), due.tick.0)).collect();
        (due, plan.wake_at.map(|tick| tick.0))
    }

    #[test]
    fn a_new_entry_waits_for_its_next_tick() {
        let planner = planner(&[(entry("a", 10, CatchUp::Latest), None)], 10 * MINUTE);
        assert_eq!(plan(&planner, 10 * MINUTE), (vec![], Some(20 * MINUTE)));
        assert_eq!(plan(&planner, 20 * MINUTE - 1), (vec![], Some(20 * MINUTE)));
        assert_eq!(plan(&planner, 20 * MINUTE), (vec![("a", 20 * MINUTE)], Some(30 * MINUTE)));
    }

    #[test]
    fn a_tick_is_due_until_it_is_reported_as_sent() {
        let mut planner = planner(&[(entry("a", 10, CatchUp::Latest), None)], 0);
        let now = 10 * MINUTE + 7;
        assert_eq!(plan(&planner, now).0, [("a", 10 * MINUTE)]);
        assert_eq!(plan(&planner, now).0, [("a", 10 * MINUTE)]);
        planner.record_sent("a", Timestamp(10 * MINUTE));
        assert_eq!(plan(&planner, now), (vec![], Some(20 * MINUTE)));
        planner.record_sent("a", Timestamp(0));
        planner.record_sent("unknown", Timestamp(now));
        assert_eq!(plan(&planner, now), (vec![], Some(20 * MINUTE)));
    }

    #[test]
    fn of_many_missed_ticks_the_latest_is_sent() {
        let mut planner = planner(&[(entry("a", 10, CatchUp::Latest), Some(10 * MINUTE))], 1000 * MINUTE + 1);
        let now = 1000 * MINUTE + 1;
        assert_eq!(plan(&planner, now), (vec![("a", 1000 * MINUTE)], Some(1010 * MINUTE)));
        planner.record_sent("a", Timestamp(1000 * MINUTE));
        assert_eq!(plan(&planner, now), (vec![], Some(1010 * MINUTE)));
    }

    #[test]
    fn without_catching_up_an_old_tick_is_dropped_and_a_late_one_sent() {
        let late = LATE_MAX.as_millis() as i64;
        let planner = planner(&[(entry("a", 10, CatchUp::None), Some(10 * MINUTE))], 30 * MINUTE);
        assert_eq!(plan(&planner, 30 * MINUTE + late).0, [("a", 30 * MINUTE)]);
        assert_eq!(plan(&planner, 30 * MINUTE + late + 1), (vec![], Some(40 * MINUTE)));
        assert_eq!(plan(&planner, 40 * MINUTE), (vec![("a", 40 * MINUTE)], Some(50 * MINUTE)));
    }

    #[test]
    fn the_oldest_tick_comes_first_and_the_next_of_all_wakes() {
        let entries = [
            (entry("a", 10, CatchUp::Latest), Some(0)),
            (entry("b", 7, CatchUp::Latest), Some(0)),
            (entry("c", 60, CatchUp::Latest), Some(0)),
        ];
        let planner = planner(&entries, 11 * MINUTE);
        let expected = vec![("b", 7 * MINUTE), ("a", 10 * MINUTE)];
        assert_eq!(plan(&planner, 11 * MINUTE), (expected, Some(14 * MINUTE)));
    }

    #[test]
    fn a_last_tick_in_the_future_counts_as_now() {
        let planner = planner(&[(entry("a", 10, CatchUp::Latest), Some(i64::MAX))], 5 * MINUTE);
        assert_eq!(plan(&planner, 5 * MINUTE), (vec![], Some(10 * MINUTE)));
    }

    #[test]
    fn a_clock_that_is_set_back_sends_no_tick_again() {
        let mut planner = planner(&[(entry("a", 10, CatchUp::Latest), None)], 0);
        planner.record_sent("a", Timestamp(30 * MINUTE));
        assert_eq!(plan(&planner, 15 * MINUTE), (vec![], Some(40 * MINUTE)));
    }

    #[test]
    fn a_planner_that_is_told_of_it_goes_on_from_the_time_that_was_set() {
        let mut planner = planner(&[(entry("a", 10, CatchUp::Latest), Some(0))], 5 * MINUTE);
        planner.record_sent("a", Timestamp(1000 * MINUTE));
        planner.set_back(Timestamp(15 * MINUTE));
        assert_eq!(plan(&planner, 15 * MINUTE), (vec![], Some(20 * MINUTE)));
        planner.set_back(Timestamp(17 * MINUTE));
        let past: Vec<_> = planner.past().map(|(entry, last)| (entry.name.as_str(), last.0)).collect();
        assert_eq!(past, [("a", 15 * MINUTE)]);
    }

    #[test]
    fn schedulers_that_know_nothing_of_each_other_send_the_same_ids() {
        let started = |last, now| planner(&[(entry("a", 10, CatchUp::Latest), last)], now);
        let (one, two) = (started(None, 12 * MINUTE), started(Some(3 * MINUTE), 19 * MINUTE));
        let id = |planner: &Planner<()>| planner.plan(Timestamp(20 * MINUTE + 1)).due[0].id("app");
        assert_eq!(id(&one), id(&two));
    }

    #[test]
    fn a_name_is_given_once() {
        let mut planner = planner(&[(entry("a", 10, CatchUp::Latest), None)], 0);
        let error = planner.add(entry("a", 5, CatchUp::None), None, Timestamp(0)).unwrap_err();
        assert_eq!(error.to_string(), "two periodic tasks have the name `a` [CD4002]");
        let entries: Vec<_> = planner.entries().map(|(entry, next)| (entry.name.as_str(), next)).collect();
        assert_eq!(entries, [("a", Some(Timestamp(10 * MINUTE)))]);
    }
}
