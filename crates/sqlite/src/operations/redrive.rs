use cardoon_broker::{DeadFilter, DeadLetter, Publish};
use cardoon_core::run::reopen;
use rusqlite::params;

use crate::tables::dead::Letter;
use crate::tables::messages::{self, FirstPlace};
use crate::tables::places::{self, Line};
use crate::tables::{Step, dead, queues, revoked, tasks};

/// A slice ends when its messages have this many bytes: each is written anew or given back to the file.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Answers of one slice: how many messages it changed, and where the next slice begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) changed: u64,
    /// Dead letters with numbers up to this one are still to come; `None` at the end.
    pub(crate) next: Option<i64>,
}

/// Sends up to `limit` matching dead letters, with numbers up to `newest`, to their queues again.
pub(crate) fn redrive(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Slice> {
    each(step, filter, newest, limit, send_again)
}

/// Deletes up to `limit` matching dead letters with numbers up to `newest`.
pub(crate) fn purge(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
) -> rusqlite::Result<Slice> {
    each(step, filter, newest, limit, |step, letter| dead::remove(step, letter.seq).map(|()| true))
}

fn each(
    step: &mut Step<'_>,
    filter: &DeadFilter,
    newest: i64,
    limit: usize,
    mut change: impl FnMut(&mut Step<'_>, &Letter) -> rusqlite::Result<bool>,
) -> rusqlite::Result<Slice> {
    let letters = dead::matching(step.db, filter, newest, limit, MAX_BYTES)?;
    let bytes: usize = letters.iter().map(|letter| letter.bytes).sum();
    let is_cut = letters.len() == limit || bytes >= MAX_BYTES;
    let next = letters.last().filter(|_| is_cut).map(|letter| letter.n - 1);
    let mut changed = 0;
    for letter in &letters {
        changed += u64::from(change(step, letter)?);
    }
    Ok(Slice { changed, next })
}

/// Puts the message at the back of its queue as attempt 0, marked as sent again, so that its next run registers and
/// gets a number above all earlier ones.
fn send_again(step: &mut Step<'_>, letter: &Letter) -> rusqlite::Result<bool> {
    let id = &letter.id;
    if tasks::has_message(step, id)? {
        return Ok(false);
    }
    let run = tasks::run_record(step, id)?.unwrap_or_default();
    tasks::reopen(step, id, reopen(run))?;
    tasks::take_identity(step, id, 0, letter.seq)?;
    revoked::delete(step, id)?;
    dead::delete(step, letter.seq)?;
    let line = Line::new(letter.queue, letter.priority);
    let pos = places::next_back(step, line)?;
    step.execute(
        "UPDATE message SET attempt = 0, resent = 1, redelivered = 0, deaths = 0, due = NULL, pos = ?2, enqueued_at = ?3
         WHERE seq = ?1",
        params![letter.seq, pos, step.now.0],
    )?;
    places::insert_ready(step, line, pos, letter.seq)?;
    Ok(true)
}

/// Stores a letter that comes from another store. Answers whether it was not there yet.
pub(crate) fn bury_moved(step: &mut Step<'_>, letter: &DeadLetter) -> rusqlite::Result<bool> {
    if dead::is_known(step.db, &letter.message.id, letter.died_at)? {
        return Ok(false);
    }
    let seq = messages::next_seq(step)?;
    let queue = queues::number(step, &letter.queue)?;
    let message = letter.message.clone();
    let publish = Publish { queue: letter.queue.clone(), message, not_before: None, resent: true };
    messages::insert(step, seq, queue, &publish, FirstPlace::Ready { pos: 0 })?;
    messages::mark_returned(step, seq, true, letter.deaths)?;
    dead::insert_of(step, seq, letter)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::{DeadReason, Message, Priority, QueueName, TaskId, Timestamp};

    use crate::operations::claim::{Claimer, claim};
    use crate::operations::publish::publish;
    use crate::tables::StepState;

    #[test]
    fn a_slice_of_large_letters_ends_at_a_bound_of_bytes_and_the_next_one_goes_on() {
        let db = crate::additions::laid_out();
        let mut state = StepState::default();
        let mut step = Step::new(&db, Timestamp(1), &mut state);
        for name in ["a", "b", "c", "d", "e"] {
            bury(&mut step, name, MAX_BYTES / 2);
        }
        let (mut next, mut slices) = (Some(dead::newest(&db).unwrap()), Vec::new());
        while let Some(newest) = next {
            let slice = redrive(&mut step, &DeadFilter::default(), newest, 256).unwrap();
            slices.push(slice.changed);
            next = slice.next;
        }
        assert_eq!(slices, [2, 2, 1]);
    }

    fn bury(step: &mut Step<'_>, name: &str, bytes: usize) {
        let message = Message {
            id: TaskId::new(name).unwrap(),
            attempt: 0,
            task: "add".into(),
            priority: Priority::default(),
            expires: None,
            content_type: "application/json".into(),
            content_encoding: "utf-8".into(),
            headers: "{}".into(),
            body: vec![b' '; bytes].into(),
        };
        let queue = QueueName::default_queue();
        publish(step, &Publish { queue: queue.clone(), message, not_before: None, resent: false }).unwrap();
        let queues = vec![queues::number(step, &queue).unwrap()];
        let taken =
            claim(step, &Claimer { session: 1, queues, max: 1, sequence: 1, ..Claimer::default() }).unwrap();
        let (seq, id) = (taken[0].lease.tag as i64, &taken[0].message.id);
        places::delete_held(step, 1, seq).unwrap();
        dead::insert(step, seq, DeadReason::Failed, "it broke").unwrap();
        tasks::release_identity(step, id, 0).unwrap();
    }
}
