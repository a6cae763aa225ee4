use cardoon_broker::DeadFilter;
use cardoon_core::{ResultRecord, TaskId, TaskState};
use cardoon_errors::{Code, Error, Result};
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::output::{cut, shell_word};
use crate::session::Session;
use crate::tasks::Whereabouts;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task's id
    id: String,
}

/// The dead letters keep the message, and with it the arguments, of every task that failed for good. Those of tasks
/// that succeeded or were revoked are gone.
pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    let found = Whereabouts::of(&stores, &id).await?.or_unknown(&stores, &id)?;
    if found.dead.is_none() || found.message.is_some() {
        return Err(nothing_to_send(&id, &found));
    }
    let only = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
    let sent = stores.redrive(&only).await?;
    stores.close().await;
    if sent == 0 {
        return Err(Error::new(Code::UnknownId, format!("the dead letter of {id} was taken meanwhile"))
            .hint(format!("cardoon task get {id}")));
    }
    session.output.one(&json!({ "id": id }), |_| id.to_string())?;
    Ok(Exit::Done)
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
