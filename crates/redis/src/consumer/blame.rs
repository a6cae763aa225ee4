//! Which tasks were executing, for those who find this process dead.
//!
//! A run is put on record when it has lasted for some milliseconds: to write each run down before it begins would cost
//! every task a command. So a task that kills its process at once is not blamed for the first time. When it is
//! delivered again it registers before it begins, and that registration puts it on record without delay.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_errors::Result;
use tokio::sync::Notify;

use super::Session;
use crate::keys;

/// Runs that last longer are on record.
const AFTER: Duration = Duration::from_millis(5);

/// A pause when the server does not answer.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, Default)]
pub(crate) struct Blame {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The deliveries whose user code has begun, until they are let go.
    begun: HashMap<u64, Run>,
    /// On record, and over.
    over: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    code: Code,
    is_recorded: bool,
}

/// How far user code of a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// It has registered, and is about to begin.
    Registered,
    Running {
        since: BootInstant,
    },
    Ended,
}

impl Blame {
    pub(crate) fn started(&self, sequence: u64, now: BootInstant) {
        let mut state = self.state();
        let is_recorded = state.begun.get(&sequence).is_some_and(|run| run.is_recorded);
        state.begun.insert(sequence, Run { code: Code::Running { since: now }, is_recorded });
        drop(state);
        self.changed.notify_one();
    }

    /// The registration of this run puts it on record.
    pub(crate) fn registered(&self, sequence: u64) {
        self.state().begun.insert(sequence, Run { code: Code::Registered, is_recorded: true });
    }

    pub(crate) fn ended(&self, sequence: u64) {
        let mut state = self.state();
        let Some(run) = state.begun.get_mut(&sequence) else { return };
        run.code = Code::Ended;
        if std::mem::take(&mut run.is_recorded) {
            state.over.push(sequence);
            drop(state);
            self.changed.notify_one();
        }
    }

    /// The deliveries are held no more.
    pub(crate) fn forget(&self, sequences: &[u64]) {
        let mut guard = self.state();
        let state = &mut *guard;
        let before = state.over.len();
        let forgotten = sequences.iter().filter_map(|sequence| state.begun.remove_entry(sequence));
        state.over.extend(forgotten.filter(|(_, run)| run.is_recorded).map(|(sequence, _)| sequence));
        let is_some_over = state.over.len() > before;
        drop(guard);
        if is_some_over {
            self.changed.notify_one();
        }
    }

    pub(crate) fn is_running(&self, sequence: u64) -> bool {
        self.state().begun.get(&sequence).is_some_and(|run| matches!(run.code, Code::Running { .. }))
    }

    /// Whether user code has begun, be it over or not.
    pub(crate) fn has_begun(&self, sequence: u64) -> bool {
        self.state().begun.get(&sequence).is_some_and(|run| run.code != Code::Registered)
    }

    /// What is to be put on record now, and what is to be removed from it.
    fn due(&self, now: BootInstant) -> (Vec<u64>, Vec<u64>) {
        let mut state = self.state();
        let over = std::mem::take(&mut state.over);
        let is_due = |run: &Run| run.waits_since().is_some_and(|since| now.since(since) >= AFTER);
        (state.begun.iter().filter(|(_, run)| is_due(run)).map(|(sequence, _)| *sequence).collect(), over)
    }

    fn recorded(&self, sequences: &[u64]) {
        let mut state = self.state();
        for sequence in sequences {
            match state.begun.get_mut(sequence).filter(|run| run.waits_since().is_some()) {
                Some(run) => run.is_recorded = true,
                // It ended while it was put on record.
                None => state.over.push(*sequence),
            }
        }
    }

    fn put_back(&self, over: Vec<u64>) {
        self.state().over.extend(over);
    }

    fn is_settled(&self) -> bool {
        let state = self.state();
        state.over.is_empty() && state.begun.values().all(|run| run.waits_since().is_none())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Run {
    /// Since when it has been running without being on record.
    fn waits_since(&self) -> Option<BootInstant> {
        match self.code {
            Code::Running { since } if !self.is_recorded => Some(since),
            _ => None,
        }
    }
}

/// Keeps the record of a session up to date.
pub(crate) async fn record(session: Arc<Session>) -> Result<()> {
    let clock = &session.shared.wire.clock;
    loop {
        tokio::select! {
            () = session.blame.changed.notified() => {}
            () = session.ended.cancelled() => return Ok(()),
        }
        while !session.blame.is_settled() {
            clock.sleep(AFTER).await;
            let (begun, over) = session.blame.due(clock.boot());
            if write(&session, &begun, &over).await.is_ok() {
                session.blame.recorded(&begun);
            } else {
                session.blame.put_back(over);
                clock.sleep(PAUSE).await;
            }
            if session.ended.is_cancelled() {
                return Ok(());
            }
        }
    }
}

async fn write(session: &Session, begun: &[u64], over: &[u64]) -> Result<()> {
    let key = keys::started(session.number());
    let mut pipeline = redis::pipe();
    if !begun.is_empty() {
        let command = pipeline.cmd("HSET").arg(&key);
        for sequence in begun {
            command.arg(*sequence).arg(1);
        }
    }
    if !over.is_empty() {
        pipeline.cmd("HDEL").arg(&key).arg(over);
    }
    session.shared.main.ask_each(&pipeline).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_run_is_never_written_down() {
        let blame = Blame::default();
        blame.started(1, BootInstant(100));
        assert_eq!(blame.due(BootInstant(104)), (vec![], vec![]));
        blame.ended(1);
        assert_eq!(blame.due(BootInstant(200)), (vec![], vec![]));
        assert!(blame.is_settled());
        assert!(blame.has_begun(1) && !blame.is_running(1));
        blame.forget(&[1]);
        assert!(!blame.has_begun(1));
    }

    #[test]
    fn a_long_run_is_on_record_while_it_lasts() {
        let blame = Blame::default();
        blame.started(1, BootInstant(100));
        assert_eq!(blame.due(BootInstant(105)), (vec![1], vec![]));
        blame.recorded(&[1]);
        assert!(blame.is_settled());
        blame.ended(1);
        assert_eq!(blame.due(BootInstant(106)), (vec![], vec![1]));
    }

    #[test]
    fn a_run_that_ends_while_it_is_written_down_is_removed_again() {
        let blame = Blame::default();
        blame.started(1, BootInstant(100));
        let (begun, _) = blame.due(BootInstant(105));
        blame.ended(1);
        blame.recorded(&begun);
        assert_eq!(blame.due(BootInstant(106)).1, [1]);
    }
}
