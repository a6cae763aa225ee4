use cardoon_errors::{Language, Result};
use cardoon_runtime::{ServiceKind, Supervisor};

use super::{events, worker};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let signals = Signals::listen()?;
    let stores = session.connect().await?;
    let engine = worker::build(&session.settings, &stores).build()?;
    greet(session, &stores);
    let supervisor = Supervisor::new();
    follow(&supervisor, &stores, session.language).await?;
    let exit = worker::until_told(engine, &stores, signals).await;
    supervisor.stop();
    exit
}

fn greet(session: &Session, stores: &Stores) {
    let broker =
        session.settings.broker.url.as_ref().map(|url| format!(" --broker {url}")).unwrap_or_default();
    worker::introduce(session, stores);
    session.talk.say("try, in another terminal:", "在另一个终端里试试：");
    for command in [
        "cardoon send cardoon.add --args '[2, 3]' --wait",
        "cardoon send cardoon.echo --args '[\"later\"]' --in 5s",
        "cardoon task list",
    ] {
        let line = format!("  {command}{broker}");
        session.talk.say(&line, &line);
    }
    session.talk.say("Ctrl-C ends: running tasks finish first", "按 Ctrl-C 结束，正在执行的任务会先完成");
}

/// Writes events to the log as they come. That somebody listens makes workers publish them.
async fn follow(supervisor: &Supervisor, stores: &Stores, language: Language) -> Result<()> {
    let mut stream = stores.broker.listen().await?;
    supervisor.spawn(ServiceKind::EventWriter, async move {
        loop {
            let events = stream.next().await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in &events {
                tracing::info!("{}", events::words(event, language));
            }
        }
    });
    Ok(())
}
