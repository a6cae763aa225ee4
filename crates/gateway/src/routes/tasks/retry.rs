use axum::extract::State;
use axum::http::HeaderMap;
use bytes::Bytes;
use cardoon::TypedSignature;
use cardoon_admin::input;
use cardoon_admin::retry::{self, Edit};
use cardoon_broker::{DeadFilter, DeadLetter};
use cardoon_core::TaskId;
use cardoon_errors::Result;
use cardoon_runtime::ids;
use serde_json::{Value, json};

use super::key::idempotency_key;
use crate::api::{EditRequest, Given, Name, NoQuery, OptionalJson, Params, Sent};
use crate::failure::Answer;
use crate::sending::{Once, Turn, digest, to_the_end};
use crate::shared::Shared;

/// A dead letter's task, to be sent again.
struct Again {
    /// The task that died.
    id: TaskId,
    edit: Option<Edit>,
    /// The id to send it under: its own unless something is changed.
    sent_as: TaskId,
}

/// Sends a task that failed again: as it was, under its id; or otherwise, under a new one.
///
/// With the header `Idempotency-Key` the request may be repeated for a day, as that of a task that is sent. Without it a change
/// is only told from a repeat as long as the dead letter is there.
#[utoipa::path(
    post, path = "/tasks/{id}/retry", tag = "tasks", request_body = Option<EditRequest>,
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A text of your own, new for each thing to do"),
    ),
    responses(
        (status = 201, description = "It is sent; the id is a new one if something was changed", body = Sent),
        (status = 200, description = "It was sent before", body = Sent),
    )
)]
pub(in crate::routes) async fn retry(
    State(shared): State<Shared>,
    Name(id): Name,
    _: Params<NoQuery>,
    headers: HeaderMap,
    OptionalJson(request): OptionalJson<EditRequest>,
) -> Answer<Given<Sent>> {
    let (id, edit) = (input::task_id(&id)?, request.edit()?);
    let key = match idempotency_key(&headers)? {
        Some(key) => key.to_owned(),
        None if edit.is_some() => key_of(&retry::letter(shared.stores(), &id).await?),
        None => {
            let _turn = turn_of(&shared, &id).await;
            retry::retry(shared.stores(), &id).await?;
            return Ok(Given::sent(&id, false));
        }
    };
    let sent_as = if edit.is_some() { ids::task_id() } else { id.clone() };
    send_once(&shared, &key, Again { id, edit, sent_as }).await
}

async fn send_once(shared: &Shared, key: &str, mut again: Again) -> Answer<Given<Sent>> {
    let once = shared.keys.reserve(key, again.digest(), vec![again.sent_as.clone()]).await?;
    again.sent_as = once.ids().first().unwrap_or(&again.sent_as).clone();
    let answer = Given::sent(&again.sent_as, once.is_repeat());
    if !once.is_sent() {
        to_the_end(&shared.services, deliver(shared.clone(), once, again)).await?;
    }
    Ok(answer)
}

/// The dead letter is removed when the new task is stored, so that a later redrive does not send the old one too; and when that
/// is noted, because a repeat that has to send it again needs the letter.
async fn deliver(shared: Shared, mut once: Once, again: Again) -> Result<()> {
    let _turn = turn_of(&shared, &again.id).await;
    let Again { id, edit, sent_as } = again;
    let Some(edit) = edit else {
        let sent = retry::retry(shared.stores(), &id).await;
        once.settle(std::slice::from_ref(&sent)).await;
        return sent;
    };
    let sent = send_edited(&shared, &id, edit, sent_as, once.is_repeat()).await;
    once.settle(std::slice::from_ref(&sent)).await;
    if sent.is_ok() {
        remove_letter(&shared, id).await;
    }
    sent
}

async fn send_edited(shared: &Shared, id: &TaskId, edit: Edit, new: TaskId, may_be_sent: bool) -> Result<()> {
    let letter = retry::letter(shared.stores(), id).await?;
    let mut signature = retry::edited(&letter, edit, &shared.limits)?;
    signature.options.id = Some(new);
    let call = TypedSignature::<Value>::from(signature);
    shared.sender.send(if may_be_sent { call.resent() } else { call }).await.map(|_| ())
}

async fn remove_letter(shared: &Shared, id: TaskId) {
    let only = DeadFilter { ids: vec![id.clone()], ..DeadFilter::default() };
    if let Err(error) = shared.stores().broker.dead_letters().purge(&only).await {
        tracing::warn!(%error, %id, "the dead letter of a task that was sent anew is still there");
    }
}

/// Requests about one letter go one after the other, whatever their keys: after the first there is no letter any more.
async fn turn_of(shared: &Shared, id: &TaskId) -> Turn {
    shared.keys.turn(&format!("letter of {id}")).await
}

/// The key of a request that has none. A client cannot say the same: a header is one line.
fn key_of(letter: &DeadLetter) -> String {
    format!("{}\n{}", letter.message.id, letter.died_at)
}

impl Again {
    /// What tells whether two requests ask for the same.
    fn digest(&self) -> String {
        let edit = self.edit.clone().unwrap_or_default();
        let names = json!([self.id, edit.queue, edit.priority]).to_string();
        let part = |json: Option<Bytes>| json.unwrap_or(Bytes::from_static(b"null"));
        digest(&[names.as_bytes(), &part(edit.args), &part(edit.kwargs)].concat())
    }
}
