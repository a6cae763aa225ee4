//! Whether and when a failed task is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::TaskFailure;

/// The rule by which a failed attempt is repeated. Default: 3 retries, exponential from 1 s, full jitter, at
/// most 10 min apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts after the first one; 0 turns retries off.
    pub max_retries: u32,
    /// The delay before the first retry; each further one doubles it.
    pub base: Duration,
    /// No delay is longer than this.
    pub cap: Duration,
    /// Draw each delay evenly between zero and its full length, so that a crowd does not come back at once.
    pub jitter: bool,
    pub retry_on: RetryOn,
}

/// Which failures are worth another attempt, by [`TaskFailure::kind`]. A name matches a kind that equals it or
/// ends with it after `::` or `.`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryOn {
    Any,
    Only(Vec<String>),
    Except(Vec<String>),
}

/// What the failing task itself asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RetryHint {
    /// The policy decides.
    Policy,
    /// Never again, whatever the policy says.
    Never,
    /// Again after this delay, as long as retries are left.
    After(Duration),
}

/// What follows a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    RetryIn(Duration),
    /// Attempts are used up: the task failed, and its message goes to the dead letters.
    Exhausted,
    /// This failure is not one to retry: the task failed.
    GiveUp,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_mins(10),
            jitter: true,
            retry_on: RetryOn::Any,
        }
    }
}

impl RetryPolicy {
    /// No retries at all.
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    /// What follows when attempt number `attempt` (0 is the first) failed. `random` is drawn evenly from
    /// `[0, 1)` and only used with jitter.
    pub fn after_failure(
        &self,
        attempt: u32,
        failure: &TaskFailure,
        hint: RetryHint,
        random: f64,
    ) -> NextStep {
        let delay = match hint {
            RetryHint::Never => return NextStep::GiveUp,
            RetryHint::After(delay) => delay,
            RetryHint::Policy if !self.retry_on.admits(&failure.kind) => return NextStep::GiveUp,
            RetryHint::Policy => self.delay(attempt, random),
        };
        match attempt < self.max_retries {
            true => NextStep::RetryIn(delay),
            false if self.max_retries == 0 => NextStep::GiveUp,
            false => NextStep::Exhausted,
        }
    }

    fn delay(&self, attempt: u32, random: f64) -> Duration {
        let full = 2u32.checked_pow(attempt).and_then(|factor| self.base.checked_mul(factor));
        let full = full.map_or(self.cap, |delay| delay.min(self.cap));
        if self.jitter { full.mul_f64(random.clamp(0.0, 1.0)) } else { full }
    }
}

impl RetryOn {
    fn admits(&self, kind: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Only(names) => names.iter().any(|name| names_kind(name, kind)),
            Self::Except(names) => !names.iter().any(|name| names_kind(name, kind)),
        }
    }
}

fn names_kind(name: &str, kind: &str) -> bool {
    kind.strip_suffix(name).is_some_and(|head| head.is_empty() || head.ends_with("::") || head.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failure(kind: &str) -> TaskFailure {
        TaskFailure::new(kind, "it broke")
    }

    fn steady() -> RetryPolicy {
        RetryPolicy { jitter: false, ..RetryPolicy::default() }
    }

    #[test]
    fn delays_double_and_stop_after_three_retries() {
        let steps: Vec<_> =
            (0..4).map(|n| steady().after_failure(n, &failure("E"), RetryHint::Policy, 0.0)).collect();
        let secs = |s| NextStep::RetryIn(Duration::from_secs(s));
        assert_eq!(steps, [secs(1), secs(2), secs(4), NextStep::Exhausted]);
    }

    #[test]
    fn a_task_without_retries_gives_up_and_does_not_count_as_exhausted() {
        let step = RetryPolicy::never().after_failure(0, &failure("E"), RetryHint::Policy, 0.0);
        assert_eq!(step, NextStep::GiveUp);
    }

    #[test]
    fn lists_name_kinds_by_their_last_segments() {
        let only = RetryPolicy { retry_on: RetryOn::Only(vec!["io::Error".into()]), ..steady() };
        let step = |kind| only.after_failure(0, &failure(kind), RetryHint::Policy, 0.0);
        assert_eq!(step("std::io::Error"), NextStep::RetryIn(Duration::from_secs(1)));
        assert_eq!(step("studio::Error"), NextStep::GiveUp);
    }

    #[test]
    fn the_task_has_the_last_word() {
        let asked = RetryHint::After(Duration::from_secs(7));
        assert_eq!(steady().after_failure(0, &failure("E"), RetryHint::Never, 0.0), NextStep::GiveUp);
        assert_eq!(
            steady().after_failure(0, &failure("E"), asked, 0.0),
            NextStep::RetryIn(Duration::from_secs(7))
        );
        assert_eq!(steady().after_failure(3, &failure("E"), asked, 0.0), NextStep::Exhausted);
    }

    proptest! {
        #[test]
        fn no_delay_exceeds_the_cap(attempt in 0u32..200, random in 0.0f64..1.0, jitter: bool) {
            let policy = RetryPolicy { jitter, max_retries: 1000, ..RetryPolicy::default() };
            let NextStep::RetryIn(delay) = policy.after_failure(attempt, &failure("E"), RetryHint::Policy, random)
            else { panic!("retries are left") };
            prop_assert!(delay <= policy.cap);
        }
    }
}
