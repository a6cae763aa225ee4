//! A live view of queues and workers in the terminal.

mod draw;
mod keys;
mod model;
mod once;
mod screen;

use std::io::IsTerminal as _;
use std::time::Duration;

use cardoon_errors::Result;

use self::draw::Frames;
use self::model::{Model, Snapshot};
use self::screen::Screen;
use crate::exit::Exit;
use crate::input;
use crate::session::Session;
use crate::stores::Stores;

/// The store is not asked more often.
const OFTENEST: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How often to look
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = input::duration)]
    every: Duration,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let is_seen = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if session.output.is_for_people() && is_seen {
        watch(session, &stores, options.every.max(OFTENEST)).await?;
    } else {
        once::print(session, &look(&stores).await?)?;
    }
    stores.close().await;
    Ok(Exit::Done)
}

async fn look(stores: &Stores) -> Result<Snapshot> {
    let inspect = stores.broker.inspect();
    Ok(Snapshot { queues: inspect.queues().await?, workers: inspect.members().await? })
}

/// Shows the view until somebody leaves it.
async fn watch(session: &Session, stores: &Stores, every: Duration) -> Result<()> {
    let clock = &session.clock;
    let mut events = stores.broker.listen().await?;
    let mut model = Model::default();
    model.see(look(stores).await?, clock.now(), Duration::ZERO);
    let frames = Frames { location: &stores.location, language: session.language };
    let mut screen = Screen::open()?;
    let mut wishes = keys::listen();
    let mut looked = clock.boot();
    let mut next_look = Box::pin(clock.sleep(every));
    screen.draw(&frames, &model)?;
    loop {
        tokio::select! {
            wish = wishes.recv() => {
                let Some(wish) = wish else { return Ok(()) };
                if !model.obey(wish.map_err(screen::failed)?) {
                    return Ok(());
                }
                screen.draw(&frames, &model)?;
            }
            heard = events.next() => match heard? {
                none if none.is_empty() => return Ok(()),
                heard => model.hear(heard),
            },
            () = &mut next_look => {
                let now = clock.boot();
                match look(stores).await {
                    Ok(snapshot) => model.see(snapshot, clock.now(), now.since(looked)),
                    // A server may come back; until then the view shows what was.
                    Err(error) => model.trouble = Some(error.to_string()),
                }
                looked = now;
                next_look = Box::pin(clock.sleep(every));
                screen.draw(&frames, &model)?;
            }
        }
    }
}
