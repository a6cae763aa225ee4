use std::fmt;
use std::time::Duration;

use anyhow::bail;
use serde::{Deserialize, Serialize};

/// A busy machine may take so many times what is promised of a quiet one. Anything longer is no matter of speed: a
/// rescue that waits for its lease instead of noticing the death takes five times as long.
const BUSY: u32 = 3;

/// What a drill found: its figures, and what contradicts the promise.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub drill: String,
    pub figures: Vec<(String, String)>,
    pub broken: Vec<String>,
    /// What took longer than it is promised to, but no longer than a busy machine explains.
    pub late: Vec<String>,
}

impl Outcome {
    pub fn new(drill: impl Into<String>) -> Self {
        Self { drill: drill.into(), ..Self::default() }
    }

    pub fn figure(&mut self, name: &str, value: impl fmt::Display + Copy) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    /// Notes a figure that has to be `wanted`.
    pub fn expect<T: PartialEq + fmt::Display + Copy>(&mut self, name: &str, found: T, wanted: T) {
        if found != wanted {
            self.broken.push(format!("{name}: {found}, expected {wanted}"));
        }
        self.figure(name, found);
    }

    /// Notes how long something took that is promised to take at most `limit`.
    pub fn within(&mut self, name: &str, found: Duration, limit: Duration) {
        let seconds = format!("{:.3}", found.as_secs_f64());
        let complaint = format!("{name}: {seconds}, at most {} is promised", limit.as_secs_f64());
        if found > limit * BUSY {
            self.broken.push(complaint);
        } else if found > limit {
            self.late.push(complaint);
        }
        self.figures.push((name.to_owned(), seconds));
    }

    /// Notes something that has to hold.
    pub fn require(&mut self, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.broken.push(otherwise.into());
        }
    }

    /// An error that lists everything that was broken. Being late is not: to judge that takes a quiet machine.
    pub fn verdict(&self) -> anyhow::Result<()> {
        self.judged(&self.broken)
    }

    /// An error that lists everything that was broken or late.
    pub fn strict_verdict(&self) -> anyhow::Result<()> {
        self.judged(&self.complaints().cloned().collect::<Vec<_>>())
    }

    /// All that was broken or late.
    pub fn complaints(&self) -> impl Iterator<Item = &String> {
        self.broken.iter().chain(&self.late)
    }

    fn judged(&self, complaints: &[String]) -> anyhow::Result<()> {
        if complaints.is_empty() {
            return Ok(());
        }
        bail!("{self}\n  {}", complaints.join("\n  "));
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures: Vec<_> = self.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
        write!(f, "{}: {}", self.drill, figures.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn being_late_is_for_the_strict_and_being_far_too_late_for_all() {
        let after = |millis| {
            let mut outcome = Outcome::new("rescue");
            outcome.within("second run in s", Duration::from_millis(millis), Duration::from_secs(3));
            (outcome.verdict().is_ok(), outcome.strict_verdict().is_ok())
        };
        assert_eq!(after(3000), (true, true));
        assert_eq!(after(3001), (true, false));
        assert_eq!(after(9001), (false, false));
    }
}
