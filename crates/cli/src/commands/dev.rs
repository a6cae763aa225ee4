use cardoon_errors::Result;
use cardoon_runtime::{ServiceKind, Supervisor};

use super::{events, worker};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

pub(crate) async fn run(session: &Session) -> Result<Exit> {
    let signals = Signals::listen()?;
    let stores = session.connect().await?;
    let engine = worker::build(&session.settings, &stores)?;
    greet(session, &stores);
    let supervisor = Supervisor::new();
    follow(&supervisor, &stores).await?;
    let exit = worker::until_told(engine, &stores, signals).await;
    supervisor.stop();
    exit
}

fn greet(session: &Session, stores: &Stores) {
    let broker =
        session.settings.broker.url.as_ref().map(|url| format!(" --broker {url}")).unwrap_or_default();
    worker::introduce(session, stores);
    session.talk.say("try, in another terminal:");
    session.talk.say(format!("  cardoon send cardoon.add --args '[2, 3]' --wait{broker}"));
    session.talk.say(format!("  cardoon send cardoon.echo --args '[\"later\"]' --in 5s{broker}"));
    session.talk.say(format!("  cardoon task list{broker}"));
    session.talk.say("Ctrl-C ends: running tasks finish first");
}

/// Writes events to the log as they come. That somebody listens makes workers publish them.
async fn follow(supervisor: &Supervisor, stores: &Stores) -> Result<()> {
    let mut stream = stores.broker.listen().await?;
    supervisor.spawn(ServiceKind::EventWriter, async move {
        loop {
            let events = stream.next().await?;
            if events.is_empty() {
                return Ok(());
            }
            for event in &events {
                tracing::info!("{}", events::line(event));
            }
        }
    });
    Ok(())
}
