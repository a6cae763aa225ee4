//! Whether a worker lives, for probes: cheap, and over within two seconds.

use std::time::Duration;

use cardoon_broker::Member;
use cardoon_errors::{Code, Error, Result};
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::output::{ago, clean};
use crate::session::Session;

/// A probe that takes longer has failed.
const LIMIT: Duration = Duration::from_secs(2);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only a worker of this name
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    /// Only a worker that takes from this queue
    #[arg(long)]
    queue: Option<String>,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let members = tokio::time::timeout(LIMIT, members(session)).await.map_err(|_| {
        Error::new(Code::NoAnswer, format!("the store did not answer within {}", ago(LIMIT)))
    })??;
    let queue = options.queue.as_deref().map(input::queue_name).transpose()?;
    let is_meant = |member: &Member| {
        options.worker.as_ref().is_none_or(|name| member.worker == *name)
            && queue.as_ref().is_none_or(|queue| member.queues.contains(queue))
    };
    let meant: Vec<_> = members.iter().filter(|member| is_meant(member)).collect();
    let lease = session.settings.worker.lease;
    let fresh: Vec<_> =
        meant.iter().filter(|member| member.heartbeat_age <= lease).map(|member| &member.worker).collect();
    if fresh.is_empty() {
        return Err(nobody(&members, &meant));
    }
    session.output.one(&json!({ "workers": fresh }), |_| {
        fresh.iter().map(|name| clean(name)).collect::<Vec<_>>().join("\n")
    })?;
    Ok(Exit::Done)
}

/// Those who live. The store is left open: the process ends now, and closing could take longer than the probe.
async fn members(session: &Session) -> Result<Vec<Member>> {
    let stores = session.connect_to_look().await?;
    stores.broker.inspect().members().await
}

fn nobody(alive: &[Member], silent: &[&Member]) -> Error {
    let error = Error::new(Code::NobodyLives, "no such worker lives");
    let error = silent.iter().fold(error, |error, member| {
        let (name, age) = (clean(&member.worker), ago(member.heartbeat_age));
        error.checked(format!("{name}: its last heartbeat was {age} ago"))
    });
    error.checked(format!("workers alive: {}", alive.len())).hint("see who lives: cardoon workers list")
}
