use cardoon_broker::DeadFilter;
use cardoon_core::TaskId;
use cardoon_errors::{Code, Error, Result};
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::output::cut;
use crate::session::Session;
use crate::tasks::Whereabouts;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    id: String,
}

/// Only the dead letters keep the message, and with it the arguments, of a task that has ended.
pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect().await?;
    let found = Whereabouts::of(&stores, &id).await?.or_unknown(&stores, &id)?;
    if found.dead.is_none() {
        return Err(nothing_to_send(&id, &found));
    }
    let only = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
    let sent = stores.broker.dead_letters().redrive(&only).await?;
    stores.close().await;
    if sent == 0 {
        return Err(Error::new(Code::UnknownId, format!("the dead letter of {id} was taken meanwhile"))
            .hint(format!("cardoon task get {id}")));
    }
    session.output.one(&json!({ "id": id }), |_| id.to_string())?;
    Ok(Exit::Done)
}

fn nothing_to_send(id: &TaskId, found: &Whereabouts) -> Error {
    if found.message.is_some() {
        return Error::new(Code::BadInput, format!("task {id} has not ended"))
            .hint(format!("cardoon task why {id}"));
    }
    let Some(record) = &found.record else {
        return Error::new(Code::UnknownId, format!("no task has the id {id}"));
    };
    let task = cut(&record.task, 80);
    Error::new(Code::BadInput, format!("the message of {id} is not kept"))
        .checked(format!("its state: {}", record.state))
        .checked("dead letters: none of this id")
        .hint(format!("send it anew: cardoon send {task} --args '[…]'"))
}
