//! Finding dead and silent sessions, and saving what they held.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cardoon_broker::SweepReport;
use cardoon_core::BootInstant;
use cardoon_core::lease::{LeaseTerms, Watch};
use cardoon_core::rescue::Loss;
use cardoon_errors::{Code, Result};
use redis::Value;

use super::Session;
use crate::failure::nonsense;
use crate::keys;
use crate::link::{int, items};
use crate::operations::change::{Applied, Change};
use crate::operations::rescue::{Saved, rescue};
use crate::operations::runs::TRIES;
use crate::operations::sessions::{self, Facts, Hold};
use crate::operations::{known, sessions as stored, upkeep};

/// A look of one worker serves all for this long.
const TURN_MILLIS: u64 = 200;

/// After a longer pause between looks, nobody is suspected any more: the server stood still, or nobody looked.
const VOID_MILLIS: u64 = 1500;

/// Suspicions that turn into certainty within this time are waited for: the next sweep may come later.
const NEAR: Duration = Duration::from_millis(500);

/// Between two thoughts of the upkeep; one of all workers does it.
const UPKEEP_EVERY: Duration = Duration::from_secs(30);

/// One consumer's view of the others.
pub(crate) struct Sweeper {
    watch: Watch,
    answering_since: BootInstant,
    silent: HashSet<u64>,
    /// When to think of the upkeep next.
    upkeep_at: BootInstant,
}

/// What a look found of a session.
#[derive(Debug, Clone, Copy)]
struct Seen {
    number: u64,
    beat: i64,
    /// For how long its sign of life has been missing.
    missing: Option<Duration>,
}

impl Sweeper {
    pub(crate) fn new(now: BootInstant) -> Self {
        Self { watch: Watch::new(now), answering_since: now, silent: HashSet::new(), upkeep_at: now }
    }

    pub(crate) async fn sweep(&mut self, session: &Session) -> Result<SweepReport> {
        let grace = session.shared.options.grace;
        let clock = &session.shared.wire.clock;
        let mut look = look(session, TURN_MILLIS).await?;
        self.answering_since = self.watch.answered(clock.boot(), &session.spec.terms);
        let near =
            look.seen.iter().filter_map(|seen| seen.missing).map(|missing| grace.saturating_sub(missing));
        if let Some(pause) = near.filter(|pause| !pause.is_zero() && *pause < NEAR).min() {
            clock.sleep(pause + Duration::from_millis(5)).await;
            // The turn may still be its own.
            look = self::look(session, 0).await?;
        }
        if clock.boot() >= self.upkeep_at {
            self.upkeep_at = clock.boot().plus(UPKEEP_EVERY);
            upkeep::keep_up(&session.shared).await?;
        }
        let mut report = SweepReport::default();
        let may_bury = !session.watcher.was_lost(clock.boot());
        for seen in look.seen {
            let saved = if may_bury && seen.missing.is_some_and(|missing| missing >= grace) {
                self.bury(session, seen, &mut report).await
            } else {
                self.look_at(session, seen, look.now, &mut report).await
            };
            match saved {
                // One list that takes nothing must not keep those waiting whose lists do.
                Err(error) if error.code() == Code::RedisWrongType => {
                    tracing::warn!(%error, "what a lost worker held is not put back");
                }
                saved => saved?,
            }
        }
        Ok(report)
    }

    /// Saves what a dead session held, then removes it.
    async fn bury(&mut self, session: &Session, seen: Seen, report: &mut SweepReport) -> Result<()> {
        let shared = &session.shared;
        let number = seen.number;
        let channel = format!("{}{number}", shared.channels.alive());
        let guard =
            Change::new().if_at_most(keys::BEATS, number.to_string(), seen.beat).if_no_subscriber(channel);
        let facts = stored::facts(&shared.main, &[number]).await?.pop();
        let Some(facts) = facts else { return forget(session, number).await };
        // Nothing that is still on its way from it may take anything any more.
        sessions::recover(shared, number).await?;
        for _ in 0..TRIES {
            let hold = sessions::hold(&shared.main, number, &facts.queues).await?;
            if !hold.holdings.is_empty() && !save(session, &hold, Loss::Died, &guard, report).await? {
                // It lives after all.
                return Ok(());
            }
            if let Some(was_removed) = sessions::leave(shared, number, &facts.queues).await? {
                report.lost_workers.extend(was_removed.then_some(facts.worker));
                return Ok(());
            }
        }
        Ok(())
    }

    /// Saves what a silent session holds. It may come back.
    async fn look_at(
        &mut self,
        session: &Session,
        seen: Seen,
        now: i64,
        report: &mut SweepReport,
    ) -> Result<()> {
        let shared = &session.shared;
        if !self.may_have_lapsed(session, seen, now, session.spec.terms.lease) {
            self.silent.remove(&seen.number);
            return Ok(());
        }
        let Some(facts) = stored::facts(&shared.main, &[seen.number]).await?.pop() else {
            return forget(session, seen.number).await;
        };
        if !self.may_have_lapsed(session, seen, now, Duration::from_millis(facts.lease_millis)) {
            return Ok(());
        }
        let guard = Change::new().if_at_most(keys::BEATS, seen.number.to_string(), seen.beat);
        let hold = sessions::hold(&shared.main, seen.number, &facts.queues).await?;
        if hold.holdings.is_empty() {
            return remove_ghost(session, seen, &facts).await;
        }
        let before = report.requeued.len() + report.ended.len();
        save(session, &hold, Loss::Silent, &guard, report).await?;
        if report.requeued.len() + report.ended.len() > before && self.silent.insert(seen.number) {
            report.lost_workers.push(facts.worker);
        }
        Ok(())
    }

    fn may_have_lapsed(&self, session: &Session, seen: Seen, now: i64, lease: Duration) -> bool {
        let boot = session.shared.wire.clock.boot();
        let age = (now - seen.beat).max(0) as u64;
        let beat = BootInstant(boot.0.saturating_sub(age));
        let terms = LeaseTerms { lease, ..session.spec.terms };
        terms.has_lapsed(beat, self.answering_since, boot)
    }
}

/// A session that holds nothing, has been silent for its lease and gives no sign of life is of no use to anybody.
async fn remove_ghost(session: &Session, seen: Seen, facts: &Facts) -> Result<()> {
    let shared = &session.shared;
    let channel = format!("{}{}", shared.channels.alive(), seen.number);
    let mut ask = redis::cmd("PUBSUB");
    ask.arg("NUMSUB").arg(channel);
    let subscribers = items(shared.main.ask(&ask).await?, "PUBSUB")?;
    if subscribers.get(1).is_some_and(|count| int(count, "PUBSUB").is_ok_and(|count| count == 0)) {
        sessions::leave(shared, seen.number, &facts.queues).await?;
    }
    Ok(())
}

/// Removes a heartbeat that belongs to no session.
async fn forget(session: &Session, number: u64) -> Result<()> {
    sessions::leave(&session.shared, number, &[]).await.map(drop)
}

/// Saves deliveries, the last ones first, so that they stand in their old order. Answers `false` if the holder turned out
/// to live.
async fn save(
    session: &Session,
    hold: &Hold,
    loss: Loss,
    guard: &Change,
    report: &mut SweepReport,
) -> Result<bool> {
    let shared = &session.shared;
    let known = known::look(&shared.main, hold.holdings.iter().map(|holding| &holding.id)).await?;
    let saved: Vec<Saved> = hold
        .holdings
        .iter()
        .zip(&known)
        .rev()
        .map(|(holding, known)| rescue(holding, loss, &hold.started, known, guard, shared.bench()))
        .collect();
    let changes: Vec<Change> = saved.iter().map(|saved| saved.change.clone()).collect();
    let guards = guard.checks();
    let mut is_lost = true;
    for (saved, applied) in saved.into_iter().zip(shared.apply(&shared.main, &changes).await) {
        match applied? {
            Applied::Yes => {
                report.requeued.extend(saved.requeued);
                report.ended.extend(saved.ended);
            }
            Applied::Refused(check) => is_lost &= check >= guards,
        }
    }
    Ok(is_lost)
}

/// What a look at all sessions found.
struct Looked {
    now: i64,
    seen: Vec<Seen>,
}

/// `turn`: for how long others need not look, in milliseconds.
async fn look(session: &Session, turn: u64) -> Result<Looked> {
    let shared = &session.shared;
    let own = session.number();
    let prepare = |command: &mut redis::Cmd| {
        command.arg(6).arg(keys::TURN).arg(keys::BEATS).arg(keys::SIGNED).arg(keys::SUSPECTS);
        command.arg(keys::DELAYED).arg(keys::DELAYED_MESSAGES);
        command
            .arg(own)
            .arg(shared.channels.alive())
            .arg(turn)
            .arg(VOID_MILLIS)
            .arg(shared.channels.events());
    };
    let answer = items(shared.main.call(&shared.scripts.sweep, prepare).await?, "a look at all workers")?;
    let (head, rest) = answer.split_at_checked(2).ok_or_else(|| nonsense("a look at all workers"))?;
    let now = int(&head[0], "a look at all workers")?;
    shared.audience.is_there.store(int(&head[1], "a look at all workers")? > 0, Ordering::Relaxed);
    let seen = rest.chunks_exact(3).map(|seen| read(seen, now)).collect::<Result<Vec<_>>>()?;
    Ok(Looked { now, seen: seen.into_iter().filter(|seen| seen.number != own).collect() })
}

fn read(seen: &[Value], now: i64) -> Result<Seen> {
    let number = |value: &Value| int(value, "a look at all workers");
    let since = number(&seen[2])?;
    let missing = (since >= 0).then(|| Duration::from_millis((now - since).max(0) as u64));
    Ok(Seen { number: number(&seen[0])? as u64, beat: number(&seen[1])?, missing })
}
