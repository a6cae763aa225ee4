use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cardoon_errors::{Code, Language, Result};
use cardoon_runtime::{ServiceKind, Supervisor};

use super::reload::Sources;
use super::{events, gateway, python, worker};
use crate::exit::Exit;
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::Stores;

/// How long running tasks may take to finish when the source has changed. Those that take longer run again.
const RELOAD_GRACE: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) worker: worker::Options,
    /// Start again when a Python file below this folder changes
    #[arg(long)]
    reload: bool,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    options.worker.python.check_words()?;
    options.worker.python.enter_workdir()?;
    if let Some(app) = &session.app {
        if options.reload {
            return reloading(session, app, &options.worker).await;
        }
        return match python::prepare(session, app, &options.worker, true).await? {
            Ok(ready) => serve(session, ready).await,
            Err(exit) => Ok(exit),
        };
    }
    let signals = Signals::listen()?;
    let stores = session.connect().await?;
    let engine = worker::build(&session.settings, &stores).build()?;
    let supervisor = Supervisor::new();
    let address = serve_http(session, &supervisor, &stores).await?;
    greet(session, &stores, address);
    follow(&supervisor, &stores, session.language).await?;
    let exit = worker::until_told(engine, &stores, signals).await;
    supervisor.stop();
    exit
}

async fn serve(session: &Session, ready: python::Ready) -> Result<Exit> {
    let supervisor = Supervisor::new();
    let address = serve_http(session, &supervisor, ready.stores()).await?;
    session.talk.say(format!("gateway   http://{address}"), format!("网关      http://{address}"));
    follow(&supervisor, ready.stores(), session.language).await?;
    let exit = ready.until_told().await;
    supervisor.stop();
    exit
}

/// Serves until the source changes; then the process is replaced. An application that cannot be imported is waited for.
async fn reloading(session: &Session, app: &str, options: &worker::Options) -> Result<Exit> {
    let sources = Sources::of(".".into());
    let ready = match python::prepare(session, app, options, true).await {
        Ok(Ok(ready)) => ready,
        Ok(Err(exit)) => return Ok(exit),
        Err(error) if error.code() == Code::AppImport => {
            session.tell(&error);
            let mut signals = Signals::listen()?;
            return tokio::select! {
                path = sources.changed(&session.clock) => Ok(replaced(session, &path)),
                _ = signals.next() => Ok(Exit::Interrupted),
            };
        }
        Err(error) => return Err(error),
    };
    let handle = ready.handle();
    let mut serving = Box::pin(serve(session, ready));
    let path = tokio::select! {
        exit = &mut serving => return exit,
        path = sources.changed(&session.clock) => path,
    };
    handle.drain();
    let stop = async {
        session.clock.sleep(RELOAD_GRACE).await;
        handle.stop();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        exit = &mut serving => drop(exit?),
        () = stop => {}
    }
    Ok(replaced(session, &path))
}

fn replaced(session: &Session, path: &Path) -> Exit {
    let path = crate::output::clean(&path.to_string_lossy());
    session.talk.say(format!("{path} has changed: starting again"), format!("{path} 变了，重新启动"));
    Exit::Replace
}

/// Serves tasks over HTTP beside the worker; answers where.
async fn serve_http(session: &Session, supervisor: &Supervisor, stores: &Stores) -> Result<SocketAddr> {
    let gateway = gateway::open_for_development(session, stores).await?;
    let (address, stopping) = (gateway.address(), supervisor.stopping());
    supervisor.spawn(ServiceKind::Connection, async move { gateway.serve(stopping.cancelled()).await });
    Ok(address)
}

fn greet(session: &Session, stores: &Stores, gateway: SocketAddr) {
    let broker =
        session.settings.broker.url.as_ref().map(|url| format!(" --broker {url}")).unwrap_or_default();
    worker::introduce(session, &session.settings.worker.queues, stores);
    session.talk.say("try, in another terminal:", "在另一个终端里试试：");
    for command in [
        "cardoon send cardoon.add --args '[2, 3]' --wait",
        "cardoon send cardoon.echo --args '[\"later\"]' --in 5s",
        "cardoon task list",
    ] {
        let line = format!("  {command}{broker}");
        session.talk.say(&line, &line);
    }
    let line = format!(
        "  curl http://{gateway}/api/v1/tasks -H 'Content-Type: application/json' -d '{{\"task\": \"cardoon.add\", \"args\": [2, 3]}}'"
    );
    session.talk.say(&line, &line);
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
