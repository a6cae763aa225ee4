//! Giving verdicts.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use cardoon_broker::{Settle, Settled};
use cardoon_core::RunNumber;
use cardoon_core::run::{Finish, RunEnd, finish};
use cardoon_core::settle::Verdict;
use cardoon_errors::{Error, Result};
use redis::Cmd;

use super::Session;
use crate::failure::nonsense;
use crate::keys;
use crate::link::{int, items};
use crate::operations::change::{Applied, Change};
use crate::operations::runs::{TRIES, too_busy};
use crate::operations::settle::{Holding, Judged, judged};
use crate::operations::{ends, known, revoke};

/// Verdicts that one script call takes at most.
const MOST: usize = 256;

/// Gives verdicts; answers each, in order.
pub(crate) async fn settle(session: &Session, batch: Vec<Settle>) -> Vec<Result<Settled>> {
    let mut answers: Vec<Option<Result<Settled>>> = batch.iter().map(|_| None).collect();
    let holdings = session.held(batch.iter().map(|settle| settle.lease));
    // A line of history has to be written in the same step, which the script for the usual case does not do.
    let keeps_history = session.shared.options.retention.history.is_some();
    let mut tasks = HashSet::new();
    let (mut usual, mut others) = (Vec::new(), Vec::new());
    for (place, (settle, holding)) in batch.iter().zip(&holdings).enumerate() {
        match holding {
            None => answers[place] = Some(Ok(Settled::LeaseLost)),
            Some(holding) if !keeps_history && is_usual(settle, holding) && tasks.insert(&holding.id) => {
                usual.push((place, &**holding));
            }
            Some(holding) => others.push((place, &**holding)),
        }
    }
    for slice in usual.chunks(MOST) {
        match finish_usual(session, &batch, slice).await {
            Ok(done) => {
                for ((place, holding), answer) in slice.iter().zip(done) {
                    match answer {
                        Some(settled) => answers[*place] = Some(Ok(settled)),
                        None => others.push((*place, *holding)),
                    }
                }
            }
            Err(error) => slice.iter().for_each(|(place, _)| answers[*place] = Some(Err(error.clone()))),
        }
    }
    decide(session, &batch, others, &mut answers).await;
    let answers: Vec<Result<Settled>> =
        answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(too_busy()))).collect();
    note(session, &batch, &answers);
    answers
}

/// Whether it is the end of a first run and nothing follows from it, so that the script can decide: if nothing is known
/// of the task, the rule of `core` accepts it.
fn is_usual(settle: &Settle, holding: &Holding) -> bool {
    let accepted = settle.record.as_ref().is_none_or(|record| {
        record.id == holding.id
            && record.run == RunNumber::FIRST
            && record.end() == RunEnd::Final
            && matches!(finish(None, record.run, record.end()), Finish::Accept(_))
    });
    settle.verdict == Verdict::Ack && !holding.early && settle.follow_ups.is_empty() && accepted
}

/// Settles what is usual; `None` for what is not after all.
async fn finish_usual(
    session: &Session,
    batch: &[Settle],
    slice: &[(usize, &Holding)],
) -> Result<Vec<Option<Settled>>> {
    let mut call = Usual::new(session);
    for (place, holding) in slice {
        call.add(&batch[*place], holding);
    }
    let shared = &session.shared;
    let answer = shared.settles.call(&shared.scripts.settle, |command| call.add_to(command)).await?;
    let answers = items(answer, "a settle")?;
    if answers.len() != slice.len() {
        return Err(nonsense("a settle"));
    }
    let read = |answer: &redis::Value| {
        Ok(match int(answer, "a settle")? {
            0 => Some(Settled::LeaseLost),
            1 => Some(Settled::Done),
            _ => None,
        })
    };
    answers.iter().map(read).collect()
}

/// The keys and arguments of the script.
struct Usual {
    keys: Vec<String>,
    arguments: Vec<Bytes>,
}

impl Usual {
    fn new(session: &Session) -> Self {
        let kept = ends::seconds(session.shared.options.retention.results);
        Self { keys: vec![keys::held(session.number())], arguments: vec![kept] }
    }

    fn add(&mut self, settle: &Settle, holding: &Holding) {
        let id = &holding.id;
        self.keys.extend([keys::run(id), keys::result(id)]);
        let document = settle.record.as_ref().map_or_else(Bytes::new, ends::document);
        let field = keys::held_field(settle.lease.sequence, settle.lease.tag);
        self.arguments.extend([field.into(), document]);
    }

    fn add_to(&self, command: &mut Cmd) {
        command.arg(self.keys.len()).arg(&self.keys);
        for argument in &self.arguments {
            command.arg(&argument[..]);
        }
    }
}

/// Judges what is not usual by what is known of its task, and applies the verdict if that is still so.
async fn decide(
    session: &Session,
    batch: &[Settle],
    mut open: Vec<(usize, &Holding)>,
    answers: &mut [Option<Result<Settled>>],
) {
    for _ in 0..TRIES {
        if open.is_empty() {
            return;
        }
        // Those of one task come one after the other: the second is judged by what the first has changed.
        let mut tasks = HashSet::new();
        let (now, later): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(_, holding)| tasks.insert(&holding.id));
        let judged = match judge(session, batch, &now).await {
            Ok(judged) => judged,
            Err(error) => return refuse(now.iter().chain(&later), answers, &error),
        };
        let changes: Vec<Change> = judged.iter().map(|judged| judged.change.clone()).collect();
        let applied = session.shared.apply(&session.shared.settles, &changes).await;
        open = later;
        for (((place, holding), judged), applied) in now.into_iter().zip(judged).zip(applied) {
            match applied {
                Ok(Applied::Yes) => answers[place] = Some(Ok(judged.settled)),
                Ok(Applied::Refused(0)) => answers[place] = Some(Ok(Settled::LeaseLost)),
                Ok(Applied::Refused(_)) => open.push((place, holding)),
                Err(error) => answers[place] = Some(Err(error)),
            }
        }
    }
}

async fn judge(session: &Session, batch: &[Settle], open: &[(usize, &Holding)]) -> Result<Vec<Judged>> {
    let shared = &session.shared;
    let ids = || open.iter().map(|(_, holding)| &holding.id);
    let known = known::look(&shared.settles, ids());
    let revoked = async {
        if open.iter().any(|(place, _)| may_wait(&batch[*place])) {
            revoke::are_revoked(&shared.settles, ids()).await
        } else {
            Ok(vec![false; open.len()])
        }
    };
    let (known, revoked) = tokio::join!(known, revoked);
    let bench = shared.bench();
    let judge = |(((place, holding), known), revoked): (((usize, &Holding), _), _)| {
        judged(holding, &batch[place], &known, revoked, bench)
    };
    Ok(open.iter().copied().zip(known?).zip(revoked?).map(judge).collect())
}

/// Whether the settle puts a message of its task into the delayed store, where a revoked one must not wait.
fn may_wait(settle: &Settle) -> bool {
    matches!(settle.verdict, Verdict::Defer { .. } | Verdict::GiveWay { .. })
        || settle.record.is_some()
        || settle.follow_ups.iter().any(|next| next.not_before.is_some())
}

fn refuse<'h>(
    open: impl Iterator<Item = &'h (usize, &'h Holding)>,
    answers: &mut [Option<Result<Settled>>],
    error: &Error,
) {
    for (place, _) in open {
        answers[*place] = Some(Err(error.clone()));
    }
}

/// Remembers what is held no more.
fn note(session: &Session, batch: &[Settle], answers: &[Result<Settled>]) {
    let answered =
        || batch.iter().zip(answers).filter_map(|(settle, answer)| Some((settle, answer.as_ref().ok()?)));
    let stays = |(settle, settled): &(&Settle, &Settled)| {
        **settled == Settled::Done && settle.verdict == Verdict::AckEarly
    };
    for (settle, _) in answered().filter(stays) {
        if let Some(holding) = session.holdings().get_mut(&settle.lease.sequence) {
            Arc::make_mut(holding).early = true;
        }
    }
    session.let_go(answered().filter(|both| !stays(both)).map(|(settle, _)| settle.lease));
}
