//! The tutorial's second project: logs of what users did, and how often each of them did something.

mod counts;
mod generate;
mod zipf;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cardoon_cluster::Client;
use cardoon_engine::{Engine, Settings};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tempfile::TempDir;

use crate::commands::options::Resources;
use crate::local_cluster::{self, LocalCluster};
use crate::processes::Program;
use crate::{rows, talk};
use counts::Counts;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Gigabytes of logs
    #[arg(long, default_value_t = 1.0)]
    gb: f64,
    /// Keep the logs in this folder; logs of the same size that are there already are used again
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Executors of the cluster
    #[arg(long, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    workers: u16,
    #[command(flatten)]
    resources: Resources,
}

/// Threads of each executor of the cluster.
const THREADS: usize = 2;

/// How long an engine took.
struct Timed {
    name: String,
    took: Duration,
    counts: Counts,
}

pub(crate) async fn run(options: Options, program: Program) -> Result<()> {
    let bytes = bytes(options.gb)?;
    let (folder, _removed_at_the_end) = folder(options.folder.as_deref())?;
    let clock = Clock::real();
    let begin = clock.boot();
    generate::logs(&folder, bytes).await?;
    let took = clock.boot().since(begin).as_secs_f64();
    let place = folder.display();
    talk::say(
        format!("{:.1} GB of logs in {place}, made in {took:.1} s", options.gb),
        format!("{place} 里有 {:.1} GB 日志，生成用时 {took:.1} 秒", options.gb),
    );
    let settings = options.resources.settings();
    let threads =
        settings.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    let one = Engine::new(Settings { threads: Some(1), ..settings.clone() })?;
    let alone = count(&folder, &one, "1 thread".into()).await?;
    let all = count(&folder, &Engine::new(settings.clone())?, format!("{threads} threads")).await?;
    let spread = on_cluster(&folder, settings, options.workers, program).await?;
    report(&[alone, all, spread])
}

/// The count on a cluster that is there for it alone.
async fn on_cluster(folder: &Path, settings: Settings, workers: u16, program: Program) -> Result<Timed> {
    let cluster = LocalCluster::bind(
        local_cluster::Settings {
            workers: workers.into(),
            threads: THREADS,
            memory: settings.memory,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            folder: settings.spill_folder.clone(),
            token: None,
            python: None,
        },
        program,
    )
    .await?;
    let ready = cluster.ready();
    let counting = async {
        ready.wait().await?;
        let client = Client::connect(ready.address().clone(), None).await?;
        let engine = Engine::on(Arc::new(client), settings)?;
        count(folder, &engine, format!("{workers} x {THREADS} cluster")).await
    };
    tokio::select! {
        counted = counting => counted,
        ended = cluster.run() => Err(ended.err().unwrap_or_else(|| Error::new(Code::Internal, "the cluster has ended"))),
    }
}

fn bytes(gigabytes: f64) -> Result<u64> {
    let possible = gigabytes.is_finite() && (0.001..=10_000.0).contains(&gigabytes);
    if possible {
        return Ok((gigabytes * 1e9) as u64);
    }
    Err(Error::new(Code::BadInput, format!("logs of {gigabytes} GB cannot be made"))
        .hint("--gb takes a number from 0.001 to 10000"))
}

/// Where the logs go, and what removes them if nobody asked to keep them.
fn folder(kept: Option<&Path>) -> Result<(PathBuf, Option<TempDir>)> {
    let failed =
        |error| Error::new(Code::OutputFailed, "the folder for the logs cannot be made").source(error);
    if let Some(folder) = kept {
        std::fs::create_dir_all(folder).map_err(failed)?;
        return Ok((folder.to_owned(), None));
    }
    let own = tempfile::Builder::new().prefix("cardoon-logs-").tempdir().map_err(failed)?;
    Ok((own.path().to_owned(), Some(own)))
}

async fn count(folder: &Path, engine: &Engine, name: String) -> Result<Timed> {
    let clock = Clock::real();
    let begin = clock.boot();
    let counts = counts::per_user(engine, folder).await?;
    Ok(Timed { name, took: clock.boot().since(begin), counts })
}

/// A table of the times, and the verdict: an error if the answers differ.
fn report(runs: &[Timed]) -> Result<()> {
    let Some(first) = runs.first() else { return Ok(()) };
    let head =
        format!("{:<12} {:>9} {:>9} {:>11} {:>12}", "engine", "seconds", "speed-up", "users", "actions");
    let lines = runs.iter().map(|run| line(run, first.took));
    rows::text(&std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n"))?;
    match runs.iter().find(|run| run.counts != first.counts) {
        None => Ok(()),
        Some(other) => Err(Error::new(
            Code::DrillFailed,
            format!("{} and {} do not count the same", first.name, other.name),
        )),
    }
}

fn line(run: &Timed, alone: Duration) -> String {
    let seconds = run.took.as_secs_f64();
    let speed_up = alone.as_secs_f64() / seconds;
    let (users, actions) = (run.counts.users(), run.counts.actions());
    format!("{:<12} {seconds:>9.2} {speed_up:>9.2} {users:>11} {actions:>12}", run.name)
}
