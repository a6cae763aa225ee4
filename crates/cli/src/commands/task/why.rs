use cardoon_admin::why::{Facts, Reason, judge, sentence};
use cardoon_core::TaskId;
use cardoon_errors::Result;
use serde::Serialize;

use crate::exit::Exit;
use crate::input;
use crate::session::Session;

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
    let facts = Facts::gather(&stores, &id, session.clock.now()).await?;
    let reason = judge(&facts);
    stores.close().await;
    if reason == Reason::Unknown && session.output.is_for_people() {
        return Err(cardoon_admin::unknown(&stores, &id));
    }
    let sentence = sentence(&reason, session.language);
    session.output.one(&Answer { id: &id, reason: &reason, sentence }, |answer| answer.sentence.clone())?;
    Ok(if reason == Reason::Unknown { Exit::NotFound } else { Exit::Done })
}
