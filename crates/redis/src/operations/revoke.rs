//! Revokes: remembered first, so that whatever is overlooked or comes later is not executed; then what waits is ended, and
//! who holds is told.

use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::Revoked;
use cardoon_core::{Message, QueueName, TaskId, TaskState};
use cardoon_errors::Result;
use redis::Value;

use super::change::{Applied, Change};
use super::known::{self, Known};
use super::runs::TRIES;
use super::{delayed, ends, search, sessions};
use crate::keys;
use crate::link::items;
use crate::store::Shared;

/// Revokes tasks; answers each, in order.
pub(crate) async fn revoke(shared: &Shared, ids: &[TaskId]) -> Vec<Result<Revoked>> {
    if let Err(error) = remember(shared, ids).await {
        return ids.iter().map(|_| Err(error.clone())).collect();
    }
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        answers.push(revoke_one(shared, id).await);
    }
    answers
}

async fn remember(shared: &Shared, ids: &[TaskId]) -> Result<()> {
    let now = shared.now().0;
    let mut pipeline = redis::pipe();
    for id in ids {
        pipeline.cmd("ZADD").arg(keys::REVOKED).arg(now).arg(id.as_str());
    }
    for id in ids {
        pipeline.cmd("PUBLISH").arg(shared.channels.revokes()).arg(id.as_str());
    }
    shared.main.ask_each(&pipeline).await.map(drop)
}

async fn revoke_one(shared: &Shared, id: &TaskId) -> Result<Revoked> {
    let mut answer = Revoked::Remembered;
    for delayed in search::delayed(&shared.main, id).await? {
        let remove = delayed::remove(
            Change::new().if_member(keys::DELAYED, delayed.member.clone()),
            &delayed.queue,
            &delayed.member,
        );
        if end(shared, &delayed.stored.message, &delayed.queue, &remove).await? {
            answer = Revoked::Waiting;
        }
    }
    let queues = search::queues(&shared.main).await?;
    for ready in search::ready(shared, &queues, id).await? {
        let remove = Change::new().then("LREM", ready.list, [Bytes::from_static(b"1"), ready.raw]);
        end(shared, &ready.stored.message, &ready.queue, &remove).await?;
        answer = Revoked::Waiting;
    }
    if is_held(shared, id).await? { Ok(Revoked::Held) } else { Ok(answer) }
}

/// Records the end of a message that waits, and removes it. Answers whether it was removed.
pub(crate) async fn end(
    shared: &Shared,
    message: &Message,
    queue: &QueueName,
    remove: &Change,
) -> Result<bool> {
    for _ in 0..TRIES {
        let known = known::look(&shared.main, [&message.id]).await?.pop().unwrap_or_default();
        let change = ended(shared, message, queue, &known).and(remove.clone());
        let checks_of_known = if known.has_run() { 1 } else { 2 };
        match shared.apply_one(&shared.main, change).await? {
            Applied::Yes => return Ok(true),
            Applied::Refused(check) if check >= checks_of_known => return Ok(false),
            Applied::Refused(_) => {}
        }
    }
    Err(super::runs::too_busy())
}

fn ended(shared: &Shared, message: &Message, queue: &QueueName, known: &Known) -> Change {
    let change = known.unchanged(&message.id);
    match ends::unexecuted(message, queue, known, TaskState::Revoked, None, shared.now()) {
        None => change,
        Some((record, after)) => {
            ends::store(change, &record, known, after, &shared.options.retention, Duration::ZERO)
        }
    }
}

async fn is_held(shared: &Shared, id: &TaskId) -> Result<bool> {
    let numbers = sessions::numbers(&shared.main).await?;
    for facts in sessions::facts(&shared.main, &numbers).await? {
        let hold = sessions::hold(&shared.main, facts.number, &facts.queues).await?;
        if hold.holdings.iter().any(|holding| holding.id == *id) {
            return Ok(true);
        }
    }
    Ok(false)
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
