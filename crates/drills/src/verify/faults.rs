use std::collections::BTreeMap;

use serde::Serialize;

use super::evidence::Tally;
use super::{Plan, Work};

/// What happens to the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// SIGKILL, while it executes tasks; another one takes its place.
    Kill,
    /// SIGSTOP for less than a lease, then SIGCONT.
    Pause,
    /// SIGTERM; another one takes its place.
    Restart,
    /// All connections of all workers to the server are reset.
    Cut,
}

/// Tasks under faults, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Faults {
    pub task: String,
    pub sent: u64,
    /// Came to their end.
    pub executed: u64,
    /// Did not.
    pub lost: u64,
    /// Ended in another way than with success, which only the user's own task can.
    pub failed: u64,
    /// Work that was done twice: the worker died after the work and before its record.
    pub duplicates: u64,
    /// Tasks that somebody else began although their worker lived.
    pub false_rescues: u64,
    /// Tasks that ran in workers when these were killed.
    pub running_at_kills: u64,
    /// How long after a kill they began again: the median and the longest.
    pub second_run_p50_ms: Option<u64>,
    pub second_run_max_ms: Option<u64>,
    pub rounds: Vec<Round>,
    pub skipped: Vec<Skipped>,
    /// Whether runs were counted by a witness, and not by the store itself.
    pub witnessed: bool,
    /// Tasks were acknowledged before they ran.
    pub early: bool,
}

/// One fault under load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Round {
    pub fault: Fault,
    pub sent: u64,
    pub lost: u64,
    pub second_runs: u64,
    /// Tasks that ran in the worker at that moment.
    pub running: u64,
    /// How long after the kill each of them began again.
    pub second_run_ms: Vec<u64>,
}

/// What was not tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Skipped {
    /// The store is a file: there are no connections.
    NoConnections,
    /// No proxy can stand before TLS, a socket or sentinels.
    NoProxy,
    /// The user's tasks had ended before a fault could meet one of them.
    TooShort,
}

impl Faults {
    /// `None` if nothing went wrong and nothing was proven either.
    pub fn passed(&self) -> Option<bool> {
        let is_good = self.lost == 0 && self.false_rescues == 0 && self.failed == 0;
        if is_good && !self.has_met_tasks() { None } else { Some(is_good) }
    }

    /// Whether faults have met tasks that ran.
    fn has_met_tasks(&self) -> bool {
        if self.kills() == 0 { !self.skipped.contains(&Skipped::TooShort) } else { self.running_at_kills > 0 }
    }

    /// How often a worker was killed.
    pub fn kills(&self) -> usize {
        self.counts().get(&Fault::Kill).copied().unwrap_or(0)
    }

    /// How often each fault happened.
    pub fn counts(&self) -> BTreeMap<Fault, usize> {
        let mut counts = BTreeMap::new();
        for round in &self.rounds {
            *counts.entry(round.fault).or_default() += 1;
        }
        counts
    }
}

pub(super) fn report(
    plan: &Plan,
    work: &Work,
    rounds: Vec<Round>,
    tally: Tally,
    skipped: Vec<Skipped>,
) -> Faults {
    let mut again: Vec<u64> = rounds.iter().flat_map(|round| round.second_run_ms.iter().copied()).collect();
    again.sort_unstable();
    let kills = rounds.iter().filter(|round| round.fault == Fault::Kill);
    let of_living = rounds.iter().filter(|round| round.fault != Fault::Kill);
    let (task, witnessed) = match work {
        Work::BuiltIn => (super::node::WAIT.to_owned(), true),
        Work::Own(own) => (own.name.clone(), false),
    };
    Faults {
        task,
        sent: rounds.iter().map(|round| round.sent).sum(),
        executed: tally.executed,
        lost: tally.lost,
        failed: tally.failed,
        duplicates: tally.duplicates,
        false_rescues: of_living.map(|round| round.second_runs).sum(),
        running_at_kills: kills.map(|round| round.running).sum(),
        second_run_p50_ms: again.get(again.len() / 2).copied(),
        second_run_max_ms: again.last().copied(),
        rounds,
        skipped,
        witnessed,
        early: plan.early,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(fault: Fault, second_runs: u64, second_run_ms: &[u64]) -> Round {
        let second_run_ms = second_run_ms.to_vec();
        Round { fault, sent: 24, lost: 0, second_runs, running: 4, second_run_ms }
    }

    fn judged(rounds: Vec<Round>, tally: Tally) -> Faults {
        report(&Plan::quick(), &Work::BuiltIn, rounds, tally, vec![Skipped::NoConnections])
    }

    #[test]
    fn second_runs_after_a_kill_are_as_it_must_be() {
        let faults = judged(vec![round(Fault::Kill, 4, &[900, 700, 800])], Tally::default());
        assert_eq!(faults.passed(), Some(true));
        let Faults { second_run_p50_ms, second_run_max_ms, running_at_kills, .. } = faults;
        assert_eq!((second_run_p50_ms, second_run_max_ms, running_at_kills), (Some(800), Some(900), 4));
    }

    #[test]
    fn a_second_run_of_a_task_whose_worker_lives_is_a_false_rescue() {
        for living in [Fault::Pause, Fault::Restart, Fault::Cut] {
            let faults = judged(vec![round(Fault::Kill, 4, &[]), round(living, 1, &[])], Tally::default());
            assert_eq!((faults.false_rescues, faults.passed()), (1, Some(false)));
        }
    }

    #[test]
    fn a_lost_task_is_a_failure() {
        let lost = Tally { executed: 23, lost: 1, ..Tally::default() };
        assert_eq!(judged(vec![round(Fault::Kill, 0, &[])], lost).passed(), Some(false));
    }

    #[test]
    fn faults_that_met_no_task_prove_nothing() {
        let met_none = vec![Round { running: 0, ..round(Fault::Kill, 0, &[]) }, round(Fault::Pause, 0, &[])];
        assert_eq!(judged(met_none, Tally::default()).passed(), None);
        let mut unkilled = judged(vec![round(Fault::Pause, 0, &[])], Tally::default());
        assert_eq!(unkilled.passed(), Some(true));
        unkilled.skipped.push(Skipped::TooShort);
        assert_eq!(unkilled.passed(), None);
    }
}
