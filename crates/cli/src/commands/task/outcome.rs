//! How a task ended, for `task wait` and `send --wait`.

use std::time::Duration;

use cardoon_admin::Whereabouts;
use cardoon_admin::view::RunView;
use cardoon_core::{ResultRecord, TaskId, TaskState};
use cardoon_errors::{Code, Error, Result};
use serde_json::value::RawValue;

use crate::exit::Exit;
use crate::output::cut;
use crate::session::Session;
use crate::stores::Stores;

/// Longest part of a failure that an error repeats.
const MESSAGE: usize = 300;

/// Waits for the end of a task that is known, prints its result, and fails as it failed.
pub(crate) async fn wait_and_print(
    session: &Session,
    stores: &Stores,
    id: &TaskId,
    limit: Option<Duration>,
) -> Result<Exit> {
    let Some(record) = stores.results.wait(id, limit).await? else {
        return Err(not_ended(stores, id, limit).await?);
    };
    stores.close().await;
    if record.state == TaskState::Success || !session.output.is_for_people() {
        session.output.one(&RunView::of(&record), |_| value_text(&record))?;
    }
    match record.state {
        TaskState::Success => Ok(Exit::Done),
        _ if session.output.is_for_people() => Err(failed(&record)),
        _ => Ok(Exit::Failed),
    }
}

/// The return value for people: as JSON, with nothing that a terminal would obey.
pub(super) fn value_text(record: &ResultRecord) -> String {
    let value = record.value.as_deref().and_then(|bytes| serde_json::from_slice::<&RawValue>(bytes).ok());
    value.map_or_else(|| "null".into(), |value| crate::output::json_text(&value))
}

fn failed(record: &ResultRecord) -> Error {
    let id = &record.id;
    let task = cut(&record.task, 80);
    if record.state == TaskState::Revoked {
        let expired = record.failure.as_ref().is_some_and(|failure| failure.kind == "Expired");
        let message = if expired {
            format!("{task} ({id}) expired before a worker could start it")
        } else {
            format!("{task} ({id}) was revoked")
        };
        return Error::new(Code::TaskRevoked, message).hint(format!("cardoon task get {id}"));
    }
    let failure = record.failure.as_ref().map_or_else(String::new, ToString::to_string);
    let error = Error::new(Code::TaskFailed, format!("{task} failed: {}", cut(&failure, MESSAGE)));
    // A task that nobody knows, or whose message cannot be read, ran nowhere.
    let ran = Some(&record.worker).filter(|worker| !worker.is_empty());
    let error = ran.into_iter().fold(error, |error, worker| {
        error.checked(format!("attempts: {}", record.attempt + 1)).checked(format!("worker: {worker}"))
    });
    error.hint(format!(
        "see what is known of it: cardoon task get {id}; send it again: cardoon task retry {id}"
    ))
}

async fn not_ended(stores: &Stores, id: &TaskId, limit: Option<Duration>) -> Result<Error> {
    let limit = limit.map_or_else(String::new, cardoon_settings::show_duration);
    let found = Whereabouts::of(stores, id).await?;
    if let Some(dead) = found.dead.filter(|_| found.message.is_none()) {
        let message = format!("the message of {id} is in the dead letters: {}", cut(&dead.detail, MESSAGE));
        return Ok(Error::new(Code::TaskFailed, message)
            .checked(format!("reason: {}", dead.reason))
            .hint(format!("cardoon dead show {id}")));
    }
    Ok(Error::new(Code::WaitTimedOut, format!("task {id} has not ended within {limit}"))
        .checked(format!("store: {}", stores.location))
        .hint(format!("cardoon task why {id}")))
}
