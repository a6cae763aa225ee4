//! Run records and results, apart from deliveries.

use std::time::Duration;

use cardoon_core::run::{Begin, Finish, RunRecord, begin, finish, is_current, reopen};
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::celery_result;
use cardoon_results::{BeginRun, Begun, Reported, Stored};
use serde::{Deserialize, Serialize};

use super::change::{Applied, Change};
use super::ends;
use super::known::{self, Known, write_record};
use crate::keys;
use crate::store::Shared;

/// How long the progress of a run is kept that says nothing more.
const PROGRESS_KEPT: Duration = Duration::from_hours(24);

/// How often a decision is made anew when what it was based on has changed.
pub(crate) const TRIES: usize = 16;

/// Registers runs. `holders`: where to note that user code begins, for those whose deliveries this process holds.
pub(crate) async fn register(shared: &Shared, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
    let decide = |run: &BeginRun, known: &Known| match begin(known.record(), run.attempt) {
        Begin::Ended => Decided::Answer(Begun::Ended),
        Begin::Superseded => Decided::Answer(Begun::Superseded),
        Begin::Run(record) => {
            let change = put(shared, known.unchanged(&run.id), &run.id, record);
            Decided::Change(mark_holder(shared, change, run), Begun::Run(record.current))
        }
    };
    each(shared, runs, |run| &run.id, decide).await
}

/// Notes that user code of the delivery begins, so that the task is blamed if it kills this process at once.
fn mark_holder(shared: &Shared, change: Change, run: &BeginRun) -> Change {
    for session in shared.local_sessions() {
        if let Some(lease) = session.lease_of(&run.id) {
            session.blame.registered(lease.sequence);
            let sequence = lease.sequence.to_string().into();
            return change.then("HSET", keys::started(lease.session), [sequence, "1".into()]);
        }
    }
    change
}

/// Stores the ends of runs that are current.
pub(crate) async fn store(shared: &Shared, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
    let decide = |record: &ResultRecord, known: &Known| match finish(known.record(), record.run, record.end())
    {
        Finish::Stale => Decided::Answer(Stored::Stale),
        Finish::Accept(after) => {
            let change = known.unchanged(&record.id);
            let retention = &shared.options.retention;
            Decided::Change(
                ends::store(change, record, known, after, retention, Duration::ZERO),
                Stored::Accepted,
            )
        }
    };
    each(shared, records, |record| &record.id, decide).await
}

/// Notes what a run says of how far it is, if it is current: for us, and where clients of Celery look. A result that has
/// come meanwhile stays.
pub(crate) async fn report(shared: &Shared, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()> {
    let shown = celery_result::write_state(id, &progress);
    let own = serde_json::to_vec(&Report { run, progress }).unwrap_or_default();
    let kept = ends::seconds(PROGRESS_KEPT);
    let decide = |id: &TaskId, known: &Known| {
        let held = held_here(shared, id).filter(|_| is_current(known.record(), run));
        let Some(held) = held else { return Decided::Answer(()) };
        let change = known
            .unchanged(id)
            .and(held)
            .then("SETEX", keys::progress(id), [kept.clone(), own.clone().into()])
            .then("SETEX", keys::result(id), [kept.clone(), shown.clone()])
            .then("PUBLISH", keys::result(id), [shown.clone()]);
        Decided::Change(change, ())
    };
    each(shared, vec![id.clone()], |id| id, decide).await.into_iter().collect()
}

/// That a delivery of the task is still held, if this process takes deliveries from this server: an end that leaves nothing
/// behind is seen by that alone. None if the delivery has been settled.
fn held_here(shared: &Shared, id: &TaskId) -> Option<Change> {
    let sessions = shared.local_sessions();
    if sessions.is_empty() {
        return Some(Change::new());
    }
    let lease = sessions.iter().find_map(|session| session.lease_of(id))?;
    Some(Change::new().if_field(keys::held(lease.session), keys::held_field(lease.sequence, lease.tag)))
}

/// Progress as it is stored.
#[derive(Serialize, Deserialize)]
struct Report {
    run: RunNumber,
    progress: Progress,
}

pub(crate) fn read_report(json: &[u8]) -> Option<Reported> {
    let Report { run, progress } = serde_json::from_slice(json).ok()?;
    Some(Reported { run, progress })
}

/// Lets tasks run again that have ended. Answers for each whether it had.
pub(crate) async fn let_run_again(shared: &Shared, ids: &[TaskId]) -> Vec<Result<bool>> {
    let decide = |id: &TaskId, known: &Known| match known.record() {
        Some(record) if !record.ended => Decided::Answer(false),
        record => Decided::Change(reopened(shared, known.unchanged(id), id, known), record.is_some()),
    };
    each(shared, ids.to_vec(), |id| id, decide).await
}

/// Lets a task begin anew, above all runs that it had.
pub(crate) fn reopened(shared: &Shared, change: Change, id: &TaskId, known: &Known) -> Change {
    let record = reopen(known.record().unwrap_or_default());
    put(shared, change, id, record).then("DEL", keys::result(id), [])
}

/// Deletes results and history, and keeps the run records. Answers for each whether there was any.
pub(crate) async fn forget(shared: &Shared, ids: &[TaskId]) -> Result<u64> {
    let mut pipeline = redis::pipe();
    for id in ids {
        pipeline.cmd("EXISTS").arg(keys::result(id)).arg(keys::history(id));
    }
    let there = shared.main.ask_each(&pipeline).await?;
    let there = there.iter().map(|count| crate::link::int(count, "EXISTS").is_ok_and(|count| count > 0));
    let decide = |id: &TaskId, known: &Known| {
        let change = match known.record() {
            // The result said that it has ended, and now the run record has to.
            Some(record) if !known.has_run() => put(shared, known.unchanged(id), id, record),
            _ => known.unchanged(id),
        };
        let change =
            change.then("DEL", keys::result(id), [keys::history(id).into(), keys::progress(id).into()]);
        Decided::Change(change, true)
    };
    let known: Vec<TaskId> =
        ids.iter().zip(there).filter(|(_, there)| *there).map(|(id, _)| id.clone()).collect();
    let count = known.len() as u64;
    for answer in each(shared, known, |id| id, decide).await {
        answer?;
    }
    Ok(count)
}

fn put(shared: &Shared, change: Change, id: &TaskId, record: RunRecord) -> Change {
    let kept = ends::seconds(shared.options.retention.fences);
    change.then("SETEX", keys::run(id), [kept, write_record(record)])
}

/// What is to be done with an item.
pub(crate) enum Decided<T> {
    Answer(T),
    /// Make this change; if it is made, the answer is this one.
    Change(Change, T),
    /// The same; but if its check of this number or a later one fails, the answer is the other one.
    Guarded(Change, T, usize, T),
}

/// Looks what is known, decides, applies, and begins anew with those that have changed meanwhile.
pub(crate) async fn each<I, T>(
    shared: &Shared,
    items: Vec<I>,
    id: impl Fn(&I) -> &TaskId,
    decide: impl Fn(&I, &Known) -> Decided<T>,
) -> Vec<Result<T>> {
    let mut answers: Vec<Option<Result<T>>> = items.iter().map(|_| None).collect();
    for _ in 0..TRIES {
        let open = first_of_each(&items, &id, &answers);
        if open.is_empty() {
            break;
        }
        let known = known::look(&shared.main, open.iter().map(|place| id(&items[*place]))).await;
        let known = match known {
            Ok(known) => known,
            Err(error) => {
                refuse(&mut answers, &error);
                break;
            }
        };
        let (mut changes, mut outcomes) = (Vec::new(), Vec::new());
        for (place, known) in open.into_iter().zip(&known) {
            match decide(&items[place], known) {
                Decided::Answer(answer) => answers[place] = Some(Ok(answer)),
                Decided::Change(change, answer) => {
                    changes.push(change);
                    outcomes.push((place, answer, None));
                }
                Decided::Guarded(change, answer, first, other) => {
                    changes.push(change);
                    outcomes.push((place, answer, Some((first, other))));
                }
            }
        }
        let applied = shared.apply(&shared.main, &changes).await;
        for ((place, outcome, guard), applied) in outcomes.into_iter().zip(applied) {
            answers[place] = match (applied, guard) {
                (Ok(Applied::Yes), _) => Some(Ok(outcome)),
                (Ok(Applied::Refused(check)), Some((first, other))) if check >= first => Some(Ok(other)),
                (Ok(Applied::Refused(_)), _) => None,
                (Err(error), _) => Some(Err(error)),
            };
        }
    }
    answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(too_busy()))).collect()
}

/// The items without an answer, one of each task: the others are decided when that one is.
fn first_of_each<I, T>(
    items: &[I],
    id: &impl Fn(&I) -> &TaskId,
    answers: &[Option<Result<T>>],
) -> Vec<usize> {
    let mut seen = std::collections::HashSet::new();
    let open = (0..items.len()).filter(|place| answers[*place].is_none());
    open.filter(|place| seen.insert(id(&items[*place]))).collect()
}

fn refuse<T>(answers: &mut [Option<Result<T>>], error: &Error) {
    for answer in answers.iter_mut().filter(|answer| answer.is_none()) {
        *answer = Some(Err(error.clone()));
    }
}

/// Others were faster each time.
pub(crate) fn too_busy() -> Error {
    Error::new(Code::NoAnswer, "what is stored of a task changed each time while a decision was under way")
}
