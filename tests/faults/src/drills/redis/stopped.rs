//! A worker stands still while it waits for work, a task is sent to it, and it is killed: the task runs.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use cardoon_drills::WorkerProcess;
use cardoon_testkit::RedisOptions;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::LIST;
use crate::{Lab, Outcome, tasks};

/// How long the server has to give the task to who waits for it.
const GIVEN: Duration = Duration::from_millis(300);

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub rounds: u32,
    /// Somebody waits who takes what comes out of the list at once, as `BRPOP` does: the drill has to notice it.
    pub plant: bool,
}

pub async fn run(program: &Path, options: Options) -> anyhow::Result<Outcome> {
    let lab = Lab::on_redis(program, RedisOptions::default()).await?;
    let mut ids = Vec::new();
    for round in 0..options.rounds {
        let waiting =
            if options.plant { Waiting::pops(&lab).await? } else { Waiting::worker(&lab, round).await? };
        ids.extend(lab.send(tasks::WORK, 1, Duration::from_millis(10)).await?);
        lab.clock.sleep(GIVEN).await;
        waiting.kill().await?;
    }
    let _worker = lab.start(&lab.spec("survivor")).await?;
    let lost = lab.until_ended(&ids).await?;
    let mut outcome = Outcome::new("stopped while it waits, then killed");
    outcome.figure("tasks", ids.len());
    outcome.expect("lost", lost.len(), 0);
    outcome.expect("second runs", lab.testimony()?.count(&ids).second_runs, 0);
    Ok(outcome)
}

enum Waiting {
    Worker(Box<WorkerProcess>),
    Connection(TcpStream),
}

impl Waiting {
    async fn worker(lab: &Lab, round: u32) -> anyhow::Result<Self> {
        let worker = lab.start(&lab.spec(format!("stopped-{round}"))).await?;
        // Once the task of the round before is done it has nothing to do, so it soon waits.
        lab.drained().await?;
        lab.clock.sleep(GIVEN).await;
        worker.pause()?;
        Ok(Self::Worker(Box::new(worker)))
    }

    async fn pops(lab: &Lab) -> anyhow::Result<Self> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, lab.redis()?.port())).await?;
        let pop = format!("*3\r\n$5\r\nBRPOP\r\n${}\r\n{LIST}\r\n$1\r\n0\r\n", LIST.len());
        connection.write_all(pop.as_bytes()).await?;
        lab.clock.sleep(GIVEN).await;
        Ok(Self::Connection(connection))
    }

    async fn kill(self) -> anyhow::Result<()> {
        match self {
            Self::Worker(mut worker) => worker.kill_and_wait().await.map(drop)?,
            Self::Connection(connection) => drop(connection),
        }
        Ok(())
    }
}
