use cardoon_broker::{Publish, Published};
use cardoon_core::run::{self, Begin, Finish, RunRecord, begin, end_unrun, finish, reopen};
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState};
use cardoon_results::{BeginRun, Begun, Stored as Answer};

use super::publish::publish;
use crate::tables::messages::Stored;
use crate::tables::{Step, queues, records, tasks};

/// Registers a run that may not be the first of its task.
pub(crate) fn register(step: &Step<'_>, run: &BeginRun) -> rusqlite::Result<Begun> {
    Ok(match begin(tasks::run_record(step, &run.id)?, run.attempt) {
        Begin::Ended => Begun::Ended,
        Begin::Superseded => Begun::Superseded,
        Begin::Run(record) => {
            tasks::register(step, &run.id, record)?;
            Begun::Run(record.current)
        }
    })
}

/// Whether a result of `run` would be accepted.
pub(crate) fn is_current(step: &Step<'_>, id: &TaskId, run: RunNumber) -> rusqlite::Result<bool> {
    Ok(run::is_current(tasks::run_record(step, id)?, run))
}

/// Stores the end of a run, if it is the current one.
pub(crate) fn store(step: &mut Step<'_>, record: &ResultRecord) -> rusqlite::Result<Answer> {
    let before = tasks::run_record(step, &record.id)?;
    match finish(before, record.run, record.end()) {
        Finish::Stale => Ok(Answer::Stale),
        Finish::Accept(after) => {
            write(step, record, before, after, None)?;
            Ok(Answer::Accepted)
        }
    }
}

/// Writes an accepted record and the run record `after` it. `gone` is the attempt whose message was removed in the
/// same step.
pub(crate) fn write(
    step: &mut Step<'_>,
    record: &ResultRecord,
    before: Option<RunRecord>,
    after: RunRecord,
    gone: Option<u32>,
) -> rusqlite::Result<()> {
    let n = records::insert(step, record)?;
    let ended = RunRecord { ended: after.ended, ..before.unwrap_or_default() };
    tasks::close(step, &record.id, ended, n, gone == Some(ended.attempt))?;
    if let Some(attempt) = gone.filter(|attempt| *attempt != ended.attempt) {
        tasks::release_identity(step, &record.id, attempt)?;
    }
    if !after.ended {
        tasks::register(step, &record.id, after)?;
    }
    Ok(())
}

/// Ends a task whose message leaves its queue without a run of its own, and releases the message's identity.
/// Answers the task's record, unless it had ended.
pub(crate) fn end_unexecuted(
    step: &mut Step<'_>,
    stored: &Stored,
    state: TaskState,
    failure: Option<TaskFailure>,
) -> rusqlite::Result<Option<ResultRecord>> {
    let message = &stored.message;
    let before = tasks::run_record(step, &message.id)?;
    let Some(after) = end_unrun(before, message.attempt) else {
        tasks::release_identity(step, &message.id, message.attempt)?;
        return Ok(None);
    };
    let queue = queues::name(step, stored.queue)?;
    let record = ResultRecord::without_run(message, queue, state, after.current, failure, step.now);
    let n = records::insert(step, &record)?;
    tasks::close(step, &record.id, after, n, true)?;
    Ok(Some(record))
}

/// Lets a task run again that has ended; answers whether it had.
pub(crate) fn let_run_again(step: &mut Step<'_>, id: &TaskId) -> rusqlite::Result<bool> {
    let known = tasks::run_record(step, id)?;
    if known.is_some_and(|record| !record.ended) {
        return Ok(false);
    }
    tasks::reopen(step, id, reopen(known.unwrap_or_default()))?;
    Ok(known.is_some())
}

/// Publishes what follows from a run; what is there already is left alone.
pub(crate) fn follow_up(step: &mut Step<'_>, follow_ups: &[Publish]) -> rusqlite::Result<()> {
    follow_ups.iter().try_for_each(|next| publish(step, next).map(|_: Published| ()))
}

/// Stores how far a run is, if it is the current one.
pub(crate) fn report(
    step: &Step<'_>,
    id: &TaskId,
    run: RunNumber,
    progress: &Progress,
) -> rusqlite::Result<()> {
    if !is_current(step, id, run)? {
        return Ok(());
    }
    records::write_progress(step, id, run, progress)
}
