//! A worker whose connections led nowhere for a while is back, and dies: its death is seen as soon as any other's, although
//! the server has not learned that the old connections have ended.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_drills::{FaultProxy, Line};
use cardoon_testkit::RedisOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::lab::PATIENCE;
use crate::{Lab, Outcome, tasks};

const NOWHERE: Duration = Duration::from_secs(4);
/// Those that are blamed for a death run one after the other, so there is one.
const TASKS: usize = 1;
const RUN: Duration = Duration::from_secs(4);
/// What a killed worker's task is to be started again within.
const SECOND_RUN_WITHIN: Duration = Duration::from_secs(3);

/// `plant`: somebody else gives the dead worker's sign of life. The drill has to notice it.
pub async fn run(program: &Path, plant: bool) -> anyhow::Result<Outcome> {
    let lab = Lab::on_redis(program, RedisOptions::default()).await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, lab.redis()?.port()));
    let line = FaultProxy::start(address, lab.clock.clone()).await?;
    let url = format!("redis://{}/0", line.address());
    let mut victim = lab.start(&lab.spec("victim").url(&url)).await?;
    line.set(Line::LOST);
    lab.clock.sleep(NOWHERE).await;
    line.resume().await;
    let ids = lab.send(tasks::WORK, TASKS, RUN).await?;
    lab.until("the victim is back", |testimony| testimony.starts().count() >= TASKS).await?;
    let _other = lab.start(&lab.spec("other")).await?;
    let _false_sign = if plant { Some(sign_for_all(&lab).await?) } else { None };
    let killed = victim.kill_and_wait().await?;
    lab.ends(&ids, PATIENCE).await?;
    let mut outcome = Outcome::new("killed after its connections led nowhere");
    outcome.figure("tasks", ids.len());
    outcome.expect("lost", lab.testimony()?.count(&ids).lost.len(), 0);
    let after = second_run(&lab, victim.pid(), killed)?;
    outcome.within("second run after s", after, SECOND_RUN_WITHIN);
    Ok(outcome)
}

fn second_run(lab: &Lab, victim: u32, killed: BootInstant) -> anyhow::Result<Duration> {
    let testimony = lab.testimony()?;
    let second = testimony.starts().find(|start| start.pid != victim);
    Ok(second.map_or(Duration::MAX, |start| start.at.since(killed)))
}

/// A connection that is subscribed to each worker's channel.
async fn sign_for_all(lab: &Lab) -> anyhow::Result<TcpStream> {
    let server = lab.redis()?;
    let channels = server.command(&["PUBSUB", "CHANNELS", "cardoon:0:alive:*"]).await?;
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).await?;
    for channel in channels.lines() {
        connection.write_all(format!("SUBSCRIBE {channel}\r\n").as_bytes()).await?;
    }
    Ok(connection)
}
