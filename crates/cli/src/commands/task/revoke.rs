use cardoon_admin::RevokedAs;
use cardoon_core::TaskId;
use cardoon_errors::{Error, Result};
use serde::Serialize;

use crate::exit::Exit;
use crate::failure;
use crate::input;
use crate::output::{Table, word};
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The tasks' ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Answer {
    id: TaskId,
    revoked: RevokedAs,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let ids: Vec<TaskId> = options.ids.iter().map(|id| input::task_id(id)).collect::<Result<_>>()?;
    let stores = session.connect_to_look().await?;
    let answers = cardoon_admin::revoke(&stores, &ids).await?;
    stores.close().await;
    let (mut done, mut failed) = (Vec::new(), None);
    for (id, answer) in ids.into_iter().zip(answers) {
        match answer {
            Ok(revoked) => done.push(Answer { id, revoked }),
            Err(error) => failed = Some(error),
        }
    }
    report(session, &done)?;
    end(session, done.is_empty(), failed)
}

fn report(session: &Session, done: &[Answer]) -> Result<()> {
    session.output.list(done, |answers| {
        let mut table = Table::new(&["ID", "IT WAS"]);
        for answer in answers {
            table.row([answer.id.as_str(), word(session.language, answer.revoked.as_str())]);
        }
        table
    })?;
    if done.iter().any(|answer| answer.revoked == RevokedAs::Unknown) {
        session.talk.say(
            "a revoke of an unknown id is remembered: should such a task come, it is not executed",
            "未知 id 的撤销会被记住：以后收到这个任务也不会执行",
        );
    }
    Ok(())
}

fn end(session: &Session, none: bool, failed: Option<Error>) -> Result<Exit> {
    match failed {
        None => Ok(Exit::Done),
        Some(error) if none => Err(error),
        Some(error) => {
            failure::print(&error, session.language, session.output.format());
            session.talk.say("not all were revoked", "没有全部撤销");
            Ok(Exit::Partly)
        }
    }
}
