//! A real Redis server of the benchmark's own, and how far the workers on it are.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, Result};
use cardoon::{App, builtin};
use cardoon_drills::{FaultProxy, Line};
use cardoon_runtime::Clock;
use cardoon_testkit::RedisServer;
use redis::Connection;

use crate::stopwatch;

/// How often a queue is looked at.
const TICK: Duration = Duration::from_millis(2);

/// The server that all sides are measured on, one after the other. It keeps nothing on disk.
pub(crate) struct Stage {
    server: RedisServer,
    proxy: Option<FaultProxy>,
}

/// What is left of a queue's tasks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(crate) waiting: u64,
    /// Taken by a worker, and not yet done.
    pub(crate) held: u64,
}

/// Where a side keeps its tasks: commands whose answers, added up, count them.
pub(crate) struct Places {
    pub(crate) waiting: Vec<Vec<String>>,
    pub(crate) held: Vec<Vec<String>>,
}

/// Looks at queues, over a connection that no side uses.
pub(crate) struct Eye(Connection);

impl Stage {
    pub(crate) async fn start() -> Result<Self> {
        Ok(Self { server: RedisServer::start().await?, proxy: None })
    }

    /// The same server behind a line on which each round trip takes longer.
    pub(crate) async fn behind(mut self, longer: Duration) -> Result<Self> {
        let target = SocketAddr::from((Ipv4Addr::LOCALHOST, self.server.port()));
        let proxy = FaultProxy::start(target, Clock::real()).await?;
        proxy.set(Line::round_trip(longer));
        self.proxy = Some(proxy);
        Ok(self)
    }

    /// Where workers and senders connect to.
    pub(crate) fn url(&self) -> String {
        let address = self.proxy.as_ref().map(FaultProxy::address);
        address.map_or_else(|| self.server.url(), |address| format!("redis://{address}/0"))
    }

    /// Past the slow line, for what is not measured.
    pub(crate) fn direct_url(&self) -> String {
        self.server.url()
    }

    /// Leaves nothing of what was measured before, but what is [kept](Self::keep).
    pub(crate) async fn clear(&self) -> Result<()> {
        self.server.command(&["FLUSHDB", "SYNC"]).await?;
        self.server.command(&["CONFIG", "RESETSTAT"]).await?;
        Ok(())
    }

    /// Keeps a copy of a list under another name, to be [brought back](Self::bring_back).
    pub(crate) async fn keep(&self, list: &str, name: &str) -> Result<()> {
        self.server.command(&["COPY", list, name, "DB", "1", "REPLACE"]).await?;
        Ok(())
    }

    /// Whether there was anything to bring back.
    pub(crate) fn bring_back(&self, name: &str, list: &str) -> Result<bool> {
        let url = format!("redis://127.0.0.1:{}/1", self.server.port());
        let mut connection = redis::Client::open(url)?.get_connection()?;
        let mut copy = redis::cmd("COPY");
        Ok(copy.arg(name).arg(list).arg("DB").arg(0).query(&mut connection)?)
    }

    pub(crate) fn eye(&self) -> Result<Eye> {
        Ok(Eye(redis::Client::open(self.direct_url())?.get_connection()?))
    }

    pub(crate) async fn version(&self) -> Result<String> {
        let about = self.server.command(&["INFO", "server"]).await?;
        let version = about.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.unwrap_or("unknown").trim().to_owned())
    }

    /// The application of a user whose broker this is.
    pub(crate) async fn app(&self) -> Result<App> {
        Ok(App::connect(&self.direct_url()).await?)
    }
}

/// Sends no-ops to the default queue, or, in turn, to several.
pub(crate) async fn add_noops(
    app: &App,
    count: usize,
    ignore_result: bool,
    queues: Option<usize>,
) -> Result<()> {
    for start in (0..count).step_by(10_000) {
        let some = start..count.min(start + 10_000);
        let noop = |index: usize| {
            let signature = builtin::noop::signature().ignore_result(ignore_result);
            match queues {
                Some(queues) => signature.queue(crate::worker::queue(index % queues)),
                None => signature,
            }
        };
        app.send_many(some.map(noop)).await?;
    }
    Ok(())
}

pub(crate) async fn close(app: App) -> Result<()> {
    app.close(Duration::from_secs(10)).await.context("cannot close the store")
}

impl Left {
    pub(crate) fn total(self) -> u64 {
        self.waiting + self.held
    }
}

impl Places {
    /// Of Cardoon's worker that started last.
    pub(crate) fn of_cardoon(queues: Option<usize>) -> Self {
        let lists: Vec<String> = match queues {
            Some(queues) => (0..queues).map(crate::worker::queue).collect(),
            None => vec!["celery".into()],
        };
        // What has no priority waits in the list that has the queue's own name.
        let waiting = lists.into_iter().map(|list| vec!["LLEN".into(), list]).collect();
        Self { waiting, held: vec![vec!["CARDOON-HELD".into()]] }
    }

    /// Of commands of two words.
    pub(crate) fn new(waiting: &[[&str; 2]], held: &[[&str; 2]]) -> Self {
        let owned = |commands: &[[&str; 2]]| {
            commands.iter().map(|command| command.map(str::to_owned).to_vec()).collect()
        };
        Self { waiting: owned(waiting), held: owned(held) }
    }
}

impl Eye {
    pub(crate) fn connection(&mut self) -> &mut Connection {
        &mut self.0
    }

    pub(crate) fn left(&mut self, places: &Places) -> Result<Left> {
        Ok(Left { waiting: self.sum(&places.waiting)?, held: self.sum(&places.held)? })
    }

    fn sum(&mut self, commands: &[Vec<String>]) -> Result<u64> {
        let mut pipeline = redis::pipe();
        for command in commands {
            if command[0] == "CARDOON-HELD" {
                self.add_sessions(&mut pipeline)?;
            } else {
                pipeline.cmd(&command[0]).arg(&command[1..]);
            }
        }
        // Before a worker has joined there is nothing to ask for.
        if pipeline.is_empty() {
            return Ok(0);
        }
        let counts: Vec<u64> = pipeline.query(&mut self.0)?;
        Ok(counts.iter().sum())
    }

    /// What each worker of ours holds is in a hash of its session.
    fn add_sessions(&mut self, pipeline: &mut redis::Pipeline) -> Result<()> {
        let sessions: Vec<String> =
            redis::cmd("ZRANGE").arg("cardoon:beats").arg(0).arg(-1).query(&mut self.0)?;
        for session in sessions {
            pipeline.cmd("HLEN").arg(format!("cardoon:held:{session}"));
        }
        Ok(())
    }

    /// Tasks a second while `count` of those that are there now are done: from the first look at which one was taken to
    /// the look at which all are done, without those that were done before the first.
    pub(crate) fn rate(&mut self, places: &Places, before: Left, count: u64) -> Result<f64> {
        let first = stopwatch::poll("the first task", TICK, || {
            let left = self.left(places)?;
            Ok((left.waiting < before.waiting).then_some(left))
        })?;
        let watch = stopwatch::Stopwatch::start();
        let last = before.total() - count;
        let left = stopwatch::poll("the last task", TICK, || {
            let left = self.left(places)?;
            Ok((left.total() <= last).then_some(left))
        })?;
        Ok((first.total() - left.total()) as f64 / watch.secs())
    }

    /// Waits until nothing is left.
    pub(crate) fn drained(&mut self, places: &Places) -> Result<()> {
        stopwatch::poll("the last task", TICK, || Ok((self.left(places)?.total() == 0).then_some(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_eye_sees_what_was_sent() {
        let stage = Stage::start().await.unwrap();
        let app = stage.app().await.unwrap();
        for queues in [None, Some(3)] {
            stage.clear().await.unwrap();
            add_noops(&app, 10, true, queues).await.unwrap();
            let left = stage.eye().unwrap().left(&Places::of_cardoon(queues)).unwrap();
            assert_eq!((left.waiting, left.held), (10, 0));
        }
        close(app).await.unwrap();
    }
}
