//! `task why`: what is known is gathered here, judged in `judge`, and said in `sentence`.

mod judge;
mod sentence;

use cardoon_broker::{Member, Place};
use cardoon_core::{QueueName, TaskId};
use cardoon_errors::Result;
use serde::Serialize;

use self::judge::{Facts, Reason};
use crate::exit::Exit;
use crate::input;
use crate::session::Session;
use crate::stores::Stores;
use crate::tasks::{self, Whereabouts};

/// A position in a queue is counted up to this many messages.
const COUNTED: usize = 10_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task's id
    id: String,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a TaskId,
    #[serde(flatten)]
    reason: &'a Reason,
    sentence: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    let facts = gather(session, &stores, &id).await?;
    let reason = judge::judge(&facts);
    stores.close().await;
    let sentence = sentence::sentence(&reason, session.language);
    if reason == Reason::Unknown && session.output.is_for_people() {
        return Err(tasks::unknown(&stores, &id));
    }
    session.output.one(&Answer { id: &id, reason: &reason, sentence }, |answer| answer.sentence.clone())?;
    Ok(if reason == Reason::Unknown { Exit::NotFound } else { Exit::Done })
}

async fn gather(session: &Session, stores: &Stores, id: &TaskId) -> Result<Facts> {
    let found = Whereabouts::of(stores, id).await?;
    let queue = found.message.as_ref().map(|(waiting, _)| waiting.queue.clone());
    let is_ready = matches!(found.message, Some((_, Place::Ready)));
    let (workers, ahead) = match &queue {
        Some(queue) => (workers_of(stores, queue).await?, ahead(stores, queue, id, is_ready).await?),
        None => (Vec::new(), None),
    };
    Ok(Facts { found, workers, ahead, now: session.clock.now() })
}

async fn workers_of(stores: &Stores, queue: &QueueName) -> Result<Vec<Member>> {
    let mut members = stores.broker.inspect().members().await?;
    members.retain(|member| member.queues.contains(queue));
    Ok(members)
}

/// How many messages are taken before this one; `None` if it is not among those that are counted.
async fn ahead(stores: &Stores, queue: &QueueName, id: &TaskId, is_ready: bool) -> Result<Option<u64>> {
    if !is_ready {
        return Ok(None);
    }
    let first = stores.broker.inspect().peek(queue, COUNTED).await?;
    Ok(first.iter().position(|waiting| waiting.message.id == *id).map(|position| position as u64))
}
