use cardoon_admin::view::LetterView;
use cardoon_broker::DeadLetter;
use cardoon_errors::{Code, Error, Language, Result};

use crate::exit::Exit;
use crate::input;
use crate::output::{clean, cut, labelled, local_time};
use crate::session::Session;

/// Most of a body that is shown to people.
const SHOWN: usize = 2000;
/// Columns that the names of lines take.
const LABEL: usize = 8;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The message's id
    id: String,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = input::task_id(&options.id)?;
    let stores = session.connect_to_look().await?;
    let letter = stores.broker.dead_letters().show(&id).await?;
    stores.close().await;
    let letter = letter.ok_or_else(|| {
        Error::new(Code::UnknownId, format!("no dead letter has the id {id}"))
            .checked(format!("store: {}", stores.location))
            .hint("cardoon dead list")
    })?;
    session.output.one(&LetterView::of(&letter), |_| as_lines(&letter, session.language))?;
    Ok(Exit::Done)
}

fn as_lines(letter: &DeadLetter, language: Language) -> String {
    let message = &letter.message;
    let shown = |bytes: &[u8]| cut(&String::from_utf8_lossy(bytes), SHOWN);
    let fields = [
        ("id", message.id.to_string()),
        ("task", cut(&message.task, SHOWN)),
        ("queue", clean(letter.queue.as_str())),
        ("reason", letter.reason.to_string()),
        ("detail", cut(&letter.detail, SHOWN)),
        ("attempt", message.attempt.to_string()),
        ("deaths", letter.deaths.to_string()),
        ("died", local_time(letter.died_at)),
        ("type", format!("{}; {}", clean(&message.content_type), clean(&message.content_encoding))),
        ("headers", shown(&message.headers)),
        ("body", shown(&message.body)),
    ];
    fields.map(|(name, value)| labelled(language, name, LABEL, &value)).join("\n")
}
