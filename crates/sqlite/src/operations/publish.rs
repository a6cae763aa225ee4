use cardoon_broker::{Publish, Published};

use crate::tables::messages::{self, FirstPlace};
use crate::tables::places::{self, Line};
use crate::tables::{Step, queues, revoked, tasks};

/// Stores a message, unless its id and attempt are known.
pub(crate) fn publish(step: &mut Step<'_>, publish: &Publish) -> rusqlite::Result<Published> {
    let message = &publish.message;
    let seq = messages::next_seq(step)?;
    let answer = tasks::claim_identity(step, &message.id, message.attempt, seq)?;
    if answer == Published::Stored {
        let queue = queues::number(step, &publish.queue)?;
        place(step, seq, Line::new(queue, message.priority), publish)?;
    }
    Ok(answer)
}

fn place(step: &mut Step<'_>, seq: i64, line: Line, publish: &Publish) -> rusqlite::Result<()> {
    // A revoked one need not wait: a consumer is to record its end.
    let due = publish.not_before.filter(|at| *at > step.now);
    if let Some(due) = due
        && !revoked::contains(step, &publish.message.id)?
    {
        messages::insert(step, seq, line.queue, publish, FirstPlace::Delayed { due })?;
        places::insert_delayed(step, line, due, seq)
    } else {
        let pos = places::next_back(step, line)?;
        messages::insert(step, seq, line.queue, publish, FirstPlace::Ready { pos })?;
        places::insert_ready(step, line, pos, seq)
    }
}
