//! The ids of tasks that are sent by a schedule.

use cardoon_core::{TaskId, Timestamp};
use uuid::Uuid;

/// Drawn once. Another one would change the ids of all ticks.
const NAMESPACE: Uuid = Uuid::from_u128(0xd6a1_f384_b5de_4765_87e0_560f_314e_8d1d);

/// The id of the task that the entry named `entry` of the app named `app` sends for `tick`: a UUID of version 5.
///
/// Schedulers that send the same tick send the same id, so that the broker stores it once, for as long as it remembers
/// the id. Between entries, apps and ticks ids differ.
pub fn tick_id(app: &str, entry: &str, tick: Timestamp) -> TaskId {
    // The length keeps apart what would be the same text when the two names are joined.
    let name = format!("{}:{app}{entry}@{}", app.len(), tick.0);
    let id = Uuid::new_v5(&NAMESPACE, name.as_bytes());
    TaskId::new(id.hyphenated().to_string()).expect("a UUID is 36 printable bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_what_they_are() {
        let id = tick_id("shop", "clean-up", Timestamp(1_767_225_600_000));
        assert_eq!(id.as_str(), "4a28c14b-ab5a-56ed-805e-94483e8ebf9e");
    }

    #[test]
    fn another_app_entry_or_tick_has_another_id() {
        let id = tick_id("ab", "c", Timestamp(1));
        assert_eq!(id, tick_id("ab", "c", Timestamp(1)));
        let others = [("a", "bc", 1), ("abc", "", 1), ("ab", "c", 2), ("ab", "c@1", 1), ("ab", "c", -1)];
        for (app, entry, tick) in others {
            assert_ne!(id, tick_id(app, entry, Timestamp(tick)), "{app} {entry} {tick}");
        }
    }
}
