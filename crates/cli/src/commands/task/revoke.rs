use cardoon_broker::Revoked;
use cardoon_core::TaskId;
use cardoon_errors::Result;
use serde::Serialize;

use crate::exit::Exit;
use crate::input;
use crate::output::Table;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    id: TaskId,
    revoked: &'static str,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let ids: Vec<TaskId> = options.ids.iter().map(|id| input::task_id(id)).collect::<Result<_>>()?;
    let stores = session.connect().await?;
    let answers = stores.broker.revoke(ids.clone()).await;
    let mut done = Vec::new();
    let mut failed = None;
    for (id, answer) in ids.into_iter().zip(answers) {
        match answer {
            Ok(revoked) => done.push(Answer { id, revoked: word(revoked) }),
            Err(error) => failed = Some(error),
        }
    }
    stores.close().await;
    report(session, &done)?;
    if done.iter().any(|answer| answer.revoked == word(Revoked::Remembered)) {
        session
            .talk
            .say("a revoke of an unknown id is remembered: should such a task come, it is not executed");
    }
    match failed {
        None => Ok(Exit::Done),
        Some(error) if done.is_empty() => Err(error),
        Some(error) => {
            session.talk.say(format!("not all were revoked: {error}"));
            Ok(Exit::Partly)
        }
    }
}

fn report(session: &Session, done: &[Answer]) -> Result<()> {
    session.output.list(done, |answers| {
        let mut table = Table::new(&["ID", "IT WAS"]);
        for answer in answers {
            table.row([answer.id.as_str(), answer.revoked]);
        }
        table
    })
}

/// What the task did when it was revoked.
fn word(revoked: Revoked) -> &'static str {
    match revoked {
        Revoked::Waiting => "waiting",
        Revoked::Held => "held",
        Revoked::Remembered => "unknown",
    }
}
