//! How long the doctor takes, when all is well and when nobody is there.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use cardoon_testkit::{AppendOnly, RedisOptions, RedisServer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::page::Row;
use crate::process::WorkerProcess;
use crate::sides::cardoon_command;
use crate::stopwatch::{self, Stopwatch};
use crate::stores::sqlite::Fixture;
use crate::stores::temporary_folder;
use cardoon_bench_common::median;

/// In seconds.
const MOST_WELL: f64 = 2.0;
const MOST: f64 = 10.0;
/// After so long a connection on loopback is not taken.
const UNTAKEN: Duration = Duration::from_millis(500);

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    Ok(vec![well(runs).await?, ill(runs).await?])
}

async fn well(runs: usize) -> Result<Row> {
    let server =
        RedisServer::start_with(RedisOptions::default().append_only(AppendOnly::EverySecond)).await?;
    let fixture = Fixture::empty().await?;
    let folder = temporary_folder()?;
    let [mut redis, mut sqlite] = [const { Vec::new() }; 2];
    let urls = [server.url(), fixture.url()];
    let workers: Vec<_> = urls.iter().map(|url| WorkerProcess::start_with(url, "bench", 4, &[])).collect();
    for url in &urls {
        stopwatch::poll("a worker", Duration::from_millis(10), || {
            Ok(Some(()).filter(|()| examine(folder.path(), url, "all is well").is_ok()))
        })?;
    }
    for _ in 0..runs {
        redis.push(examine(folder.path(), &urls[0], "all is well")?);
        sqlite.push(examine(folder.path(), &urls[1], "all is well")?);
    }
    for worker in workers {
        worker?.end()?;
    }
    fixture.close().await?;
    let [redis, sqlite] = [redis, sqlite].map(median);
    Ok(Row {
        measure: "`cardoon doctor` when all is well and a worker is there, on Redis / on SQLite".into(),
        cardoon: format!("{redis:.2} / {sqlite:.2} s"),
        beside: "-".into(),
        goal: format!("<= {MOST_WELL:.0} s"),
        is_met: Some(redis <= MOST_WELL && sqlite <= MOST_WELL),
    })
}

async fn ill(runs: usize) -> Result<Row> {
    let refusing = bound()?;
    let silent = Silent::start().await?;
    let folder = temporary_folder()?;
    let ill_at = |url: &str| examine(folder.path(), url, "something is wrong");
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..runs {
        times[0].push(ill_at(&url(refusing.local_addr()?))?);
        times[1].push(ill_at(&url(silent.listener.local_addr()?))?);
        // The doctor asks other servers of this machine too, so this one is there for its own turn only.
        let stopped = RedisServer::start().await?;
        stopped.pause()?;
        times[2].push(ill_at(&stopped.url())?);
    }
    let [refused, unanswered, unsaid] = times.map(median);
    Ok(Row {
        measure: "the same when the server's host refuses / does not answer / takes the connection, and the server says nothing"
            .into(),
        cardoon: format!("{refused:.2} / {unanswered:.2} / {unsaid:.2} s"),
        beside: "-".into(),
        goal: format!("<= {MOST:.0} s"),
        is_met: Some([refused, unanswered, unsaid].iter().all(|secs| *secs <= MOST)),
    })
}

/// How long it takes until the doctor comes to this verdict, in seconds.
fn examine(folder: &Path, url: &str, verdict: &str) -> Result<f64> {
    let watch = Stopwatch::start();
    let mut doctor = cardoon_command::command(folder, url)?;
    let output = doctor.arg("doctor").stdout(Stdio::piped()).output().context("cannot start the doctor")?;
    let secs = watch.secs();
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(said.contains(verdict), "the doctor found at {url}:\n{said}");
    Ok(secs)
}

/// A port that leaves whoever wants to connect without an answer, as a host does that is not there.
struct Silent {
    listener: TcpListener,
    /// They wait to be taken, so that there is no place for others.
    _waiting: Vec<TcpStream>,
}

impl Silent {
    async fn start() -> Result<Self> {
        let listener = bound()?.listen(1)?;
        let mut waiting = Vec::new();
        let address = listener.local_addr()?;
        while let Ok(connected) = tokio::time::timeout(UNTAKEN, TcpStream::connect(address)).await {
            waiting.push(connected?);
        }
        Ok(Self { listener, _waiting: waiting })
    }
}

/// A port that nobody else gets. Unless it is listened on, connections are refused.
fn bound() -> Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    Ok(socket)
}

fn url(address: SocketAddr) -> String {
    format!("redis://{address}/0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_silent_port_neither_takes_nor_refuses() {
        let silent = Silent::start().await.unwrap();
        let connecting = TcpStream::connect(silent.listener.local_addr().unwrap());
        assert!(tokio::time::timeout(UNTAKEN, connecting).await.is_err());
    }
}
