//! Sending tasks again that have failed. The dead letters keep the message, and with it the arguments, of every task that
//! failed for good. Those of tasks that succeeded or were revoked are gone.

use bytes::Bytes;
use cardoon_broker::{DeadFilter, DeadLetter};
use cardoon_connect::Stores;
use cardoon_core::{
    Message, Priority, QueueName, ResultRecord, Signature, SignatureOptions, TaskId, TaskState,
};
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::{Limits, decode, without_compression};

use crate::Whereabouts;
use crate::text::{cut, shell_word};

/// What is to be otherwise when a task is sent again.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// A JSON array.
    pub args: Option<Bytes>,
    /// A JSON object.
    pub kwargs: Option<Bytes>,
    pub queue: Option<QueueName>,
    pub priority: Option<Priority>,
}

/// Sends a task that failed again, under its id, with the arguments that it had.
///
/// Errors: `CD3004` for an id that nobody knows, `CD3011` if its message is not kept, `CD4004` if it has not ended.
pub async fn retry(stores: &Stores, id: &TaskId) -> Result<()> {
    letter(stores, id).await?;
    let only = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
    if crate::redrive(stores, &only).await? == 0 {
        return Err(Error::new(Code::UnknownId, format!("the dead letter of {id} was taken meanwhile"))
            .hint(format!("cardoon task get {id}")));
    }
    Ok(())
}

/// The dead letter of a task that failed. Errors as [`retry`].
pub async fn letter(stores: &Stores, id: &TaskId) -> Result<DeadLetter> {
    let mut found = Whereabouts::of(stores, id).await?.or_unknown(stores, id)?;
    match found.dead.take() {
        Some(letter) if found.message.is_none() => Ok(letter),
        _ => Err(nothing_to_send(id, &found)),
    }
}

/// A call as the letter's was but for `edit`, to be sent under an id of its own. It does not expire: the time of the letter's
/// may be over. Fails with `CD2001` for a message that cannot be read.
pub fn edited(letter: &DeadLetter, edit: Edit, limits: &Limits) -> Result<Signature> {
    let message = &letter.message;
    let incoming = decode(message, limits).map_err(|dead| unreadable(message, dead.detail))?;
    // The trace is among them. Those that every message has are written anew where it is sent.
    let headers =
        without_compression(&message.headers).map_err(|error| unreadable(message, error.to_string()))?;
    Ok(Signature {
        task: incoming.task,
        args: edit.args.unwrap_or_else(|| incoming.arguments.args().clone()),
        kwargs: edit.kwargs.unwrap_or_else(|| incoming.arguments.kwargs().clone()),
        options: SignatureOptions {
            queue: Some(edit.queue.unwrap_or_else(|| letter.queue.clone())),
            priority: Some(edit.priority.unwrap_or(message.priority)),
            soft_time_limit: incoming.soft_time_limit,
            time_limit: incoming.time_limit,
            ignore_result: Some(incoming.ignore_result),
            root_id: incoming.root_id,
            parent_id: incoming.parent_id,
            headers,
            ..SignatureOptions::default()
        },
    })
}

fn unreadable(message: &Message, detail: String) -> Error {
    Error::new(Code::BadMessage, format!("the message of {} cannot be read", message.id))
        .checked(detail)
        .hint(format!("cardoon dead show {}", message.id))
}

fn nothing_to_send(id: &TaskId, found: &Whereabouts) -> Error {
    match &found.record {
        Some(record) if found.message.is_none() => not_kept(id, record),
        _ => Error::new(Code::BadInput, format!("task {id} has not ended"))
            .hint(format!("cardoon task why {id}")),
    }
}

fn not_kept(id: &TaskId, record: &ResultRecord) -> Error {
    let (task, queue) = (shell_word(&cut(&record.task, 80)), shell_word(record.queue.as_str()));
    let why = match record.state {
        TaskState::Success => "the messages of tasks that succeed are not kept",
        TaskState::Revoked => "the messages of tasks that are revoked or expire are not kept",
        _ => "its message is not in the dead letters any more",
    };
    Error::new(Code::MessageNotKept, format!("the message of {id} is not kept, so it cannot be sent again"))
        .checked(format!("state: {}", record.state))
        .checked(why)
        .hint(format!("send the task anew: cardoon send {task} -Q {queue} --args '[…]'"))
}
