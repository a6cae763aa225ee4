//! Revokes: remembered first, so that whatever is overlooked or comes later is not executed; then who holds is told, and
//! what waits is ended.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::Revoked;
use cardoon_core::{Message, QueueName, TaskId, TaskState};
use cardoon_errors::Result;
use redis::Value;

use super::change::Change;
use super::known::Known;
use super::runs::{self, Decided};
use super::{delayed, ends, queues, search, sessions};
use crate::keys;
use crate::link::items;
use crate::store::Shared;

/// Revokes tasks; answers each, in order.
pub(crate) async fn revoke(shared: &Shared, ids: &[TaskId]) -> Vec<Result<Revoked>> {
    let held = match announce(shared, ids).await {
        Ok(held) => held,
        Err(error) => return ids.iter().map(|_| Err(error.clone())).collect(),
    };
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        let ended = end_waiting(shared, id).await;
        answers.push(ended.map(|was| if held.contains(id) { Revoked::Held } else { was }));
    }
    answers
}

/// Remembers that the tasks are revoked, and tells those who hold some. Answers which were held by then.
async fn announce(shared: &Shared, ids: &[TaskId]) -> Result<HashSet<TaskId>> {
    let now = shared.now().0;
    let mut remember = redis::pipe();
    for id in ids {
        remember.cmd("ZADD").arg(keys::REVOKED).arg(now).arg(id.as_str());
    }
    shared.main.ask_each(&remember).await?;
    // Before they are told: a quick worker lets go of a task sooner than anybody can ask who has it.
    let held = held(shared).await;
    let mut tell = redis::pipe();
    for id in ids {
        tell.cmd("PUBLISH").arg(shared.channels.revokes()).arg(id.as_str());
    }
    shared.main.ask_each(&tell).await?;
    held
}

/// The tasks that workers hold now.
async fn held(shared: &Shared) -> Result<HashSet<TaskId>> {
    let mut held = HashSet::new();
    let numbers = sessions::numbers(&shared.main).await?;
    for facts in sessions::facts(&shared.main, &numbers).await? {
        let of_session = sessions::hold(&shared.main, facts.number, &facts.queues).await?;
        held.extend(of_session.holdings.into_iter().map(|holding| holding.id));
    }
    Ok(held)
}

/// Ends what waits of a task, now or delayed.
async fn end_waiting(shared: &Shared, id: &TaskId) -> Result<Revoked> {
    let mut removals = Vec::new();
    for delayed in search::delayed(&shared.main, id).await? {
        let remove = Change::new().if_member(keys::DELAYED, delayed.member.clone());
        let remove = delayed::remove(remove, &delayed.queue, &delayed.member);
        removals.push(Removal { message: delayed.stored.message, queue: delayed.queue, remove });
    }
    let queues = queues::queues(shared).await?;
    for ready in search::ready(shared, &queues, id).await? {
        let remove = Change::new().then("LREM", ready.list, [Bytes::from_static(b"1"), ready.raw]);
        removals.push(Removal { message: ready.stored.message, queue: ready.queue, remove });
    }
    let mut answer = Revoked::Remembered;
    for removed in end(shared, removals).await {
        if removed? {
            answer = Revoked::Waiting;
        }
    }
    Ok(answer)
}

/// A message that waits, and how it is removed.
pub(crate) struct Removal {
    pub(crate) message: Message,
    pub(crate) queue: QueueName,
    pub(crate) remove: Change,
}

/// Records the ends of messages that wait, and removes them. Answers for each whether it was still there.
pub(crate) async fn end(shared: &Shared, removals: Vec<Removal>) -> Vec<Result<bool>> {
    let decide = |removal: &Removal, known: &Known| {
        let Removal { message, queue, remove } = removal;
        let change = known.unchanged(&message.id);
        let checks = change.checks();
        let ended = ends::unexecuted(message, queue, known, TaskState::Revoked, None, shared.now());
        let change = match ended {
            None => change,
            Some((record, after)) => {
                ends::store(change, &record, known, after, &shared.options.retention, Duration::ZERO)
            }
        };
        Decided::Guarded(change.and(remove.clone()), true, checks, false)
    };
    runs::each(shared, removals, |removal| &removal.message.id, decide).await
}

/// Which of these tasks are revoked.
pub(crate) async fn are_revoked<'t>(
    lane: &crate::link::Lane,
    ids: impl IntoIterator<Item = &'t TaskId>,
) -> Result<Vec<bool>> {
    let mut command = redis::cmd("ZMSCORE");
    command.arg(keys::REVOKED);
    let mut count = 0;
    for id in ids {
        command.arg(id.as_str());
        count += 1;
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let scores = items(lane.ask(&command).await?, "ZMSCORE")?;
    Ok(scores.into_iter().map(|score| score != Value::Nil).collect())
}
