use cardoon_errors::Language;

use crate::verify::Run;

/// Says things in a language.
#[derive(Debug, Clone, Copy)]
pub(in crate::verify) struct Words(pub(in crate::verify) Language);

impl Words {
    pub(in crate::verify) fn say(self, english: impl Into<String>, chinese: impl Into<String>) -> String {
        match self.0 {
            Language::English => english.into(),
            Language::Chinese => chinese.into(),
        }
    }

    /// `1 slot`, `4 slots`, `2 workers x 4 slots`.
    pub(super) fn slots(self, run: &Run) -> String {
        let Run { workers, slots, .. } = run;
        match (workers, slots) {
            (1, 1) => self.say("1 slot", "1 个执行槽"),
            (1, slots) => self.say(format!("{slots} slots"), format!("{slots} 个执行槽")),
            _ => self.say(
                format!("{workers} workers x {slots} slots"),
                format!("{workers} 个 worker x {slots} 个执行槽"),
            ),
        }
    }
}

/// Seconds with two digits.
pub(super) fn seconds(millis: u64) -> String {
    format!("{:.2} s", millis as f64 / 1000.0)
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}
