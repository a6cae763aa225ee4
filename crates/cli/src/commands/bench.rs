//! `bench`: send, drain, and the latency of single tasks, measured through the same ports that programs use.

use std::time::Duration;

use cardoon::WorkerExit;
use cardoon_broker::Publish;
use cardoon_core::{QueueName, Signature, SignatureOptions, TaskId};
use cardoon_errors::{Code, Error, Language, Result};
use cardoon_runtime::ids;
use cardoon_settings::{Flag, StoreUrl};
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::Instant;

use super::worker;
use crate::arguments::flag;
use crate::exit::Exit;
use crate::output::{Table, word};
use crate::session::Session;
use crate::stores::{self, Stores};

/// Messages in one publish.
const BATCH: usize = 256;
/// How often the queue is looked at while it drains.
const LOOK: Duration = Duration::from_millis(20);
/// Latencies are exact to the microsecond up to 16 ms, and to so many digits above.
const DIGITS: u8 = 4;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// No-op tasks to send and drain
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    tasks: u64,
    /// Tasks sent one by one, each waited for
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    singles: u64,
    /// Tasks to execute at once
    #[arg(short, long, value_name = "N")]
    concurrency: Option<String>,
}

/// What was measured.
#[derive(Serialize)]
struct Report {
    store: String,
    tasks: u64,
    send_per_second: f64,
    drain_per_second: f64,
    singles: u64,
    /// From the call of send to the return of the wait for the result.
    latency_ms: Latency,
}

#[derive(Serialize)]
struct Latency {
    p50: f64,
    p99: f64,
    max: f64,
}

impl Options {
    pub(super) fn flags(&self) -> Vec<Flag> {
        flag("worker.concurrency", "--concurrency", self.concurrency.as_deref()).into_iter().collect()
    }
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let own = OwnFolder::make_unless_named(session)?;
    let stores = open(session, own.as_ref()).await?;
    let bench = Bench { session, stores: &stores, queue: own_queue()? };
    let report = bench.measure(options).await;
    stores.close().await;
    let language = session.language;
    session.output.one(&report?, |report| table(report, language).render(language))?;
    Ok(Exit::Done)
}

/// The bench works in one process, so that a store in memory will do.
async fn open(session: &Session, own: Option<&OwnFolder>) -> Result<Stores> {
    let in_memory = |url: &&StoreUrl| cardoon_connect::is_in_memory(url.expose());
    let here = match own {
        Some(folder) => Some(folder.url()),
        None => session.settings.broker.url.as_ref().filter(in_memory).map(|url| url.expose().to_owned()),
    };
    match here {
        Some(url) => stores::at(&url, None, &session.settings, &session.clock).await,
        None => session.connect().await,
    }
}

/// A queue of its own keeps the bench and real work apart.
fn own_queue() -> Result<QueueName> {
    QueueName::new(format!("bench-{}", ids::unique()))
        .map_err(|error| Error::new(Code::Internal, "the bench's queue has no name").source(error))
}

struct Bench<'a> {
    session: &'a Session,
    stores: &'a Stores,
    queue: QueueName,
}

impl Bench<'_> {
    async fn measure(&self, options: &Options) -> Result<Report> {
        let send_per_second = self.send_all(options.tasks).await?;
        let worker = worker::build(&self.session.settings, self.stores);
        let worker = worker.queues([self.queue.to_string()]).build()?;
        let handle = worker.handle();
        let measured = async {
            let drain = self.drain(options.tasks).await;
            let latency = match &drain {
                Ok(_) => self.latency(options.singles).await,
                Err(error) => Err(error.clone()),
            };
            handle.drain();
            Ok::<_, Error>((drain?, latency?))
        };
        let (exit, measured) =
            tokio::join!(Box::pin(worker.run_until(std::future::pending::<()>())), measured);
        if exit? == WorkerExit::SlotsLost {
            return Err(Error::new(Code::Internal, "the bench's worker lost its slots"));
        }
        let (drain_per_second, latency_ms) = measured?;
        Ok(Report {
            store: self.stores.location.clone(),
            tasks: options.tasks,
            send_per_second,
            drain_per_second,
            singles: options.singles,
            latency_ms,
        })
    }

    async fn send_all(&self, tasks: u64) -> Result<f64> {
        let bar = self.session.talk.progress(tasks, "send", "发送");
        let begun = Instant::now();
        let mut left = tasks as usize;
        while left > 0 {
            let size = left.min(BATCH);
            let batch = (0..size).map(|_| self.noop(ids::task_id())).collect::<Result<_>>()?;
            for answer in self.stores.broker.publish(batch).await {
                answer?;
            }
            left -= size;
            bar.inc(size as u64);
        }
        bar.finish_and_clear();
        Ok(rate(tasks, begun.elapsed()))
    }

    /// The bench's worker runs beside this. It has ended the last task when the queue holds nothing any more.
    async fn drain(&self, tasks: u64) -> Result<f64> {
        let bar = self.session.talk.progress(tasks, "drain", "执行");
        let begun = Instant::now();
        loop {
            let left = self.left().await?;
            bar.set_position(tasks.saturating_sub(left));
            if left == 0 {
                break;
            }
            self.session.clock.sleep(LOOK).await;
        }
        bar.finish_and_clear();
        Ok(rate(tasks, begun.elapsed()))
    }

    async fn left(&self) -> Result<u64> {
        let queues = self.stores.broker.inspect().queues().await?;
        let stats = queues.into_iter().find(|stats| stats.queue == self.queue);
        Ok(stats.map_or(0, |stats| stats.ready + stats.delayed + stats.held))
    }

    async fn latency(&self, singles: u64) -> Result<Latency> {
        let bar = self.session.talk.progress(singles, "latency", "延迟");
        let mut micros = Histogram::<u64>::new(DIGITS)
            .map_err(|error| Error::new(Code::Internal, "no histogram").source(error))?;
        for _ in 0..singles {
            let id = ids::task_id();
            let begun = Instant::now();
            for answer in self.stores.broker.publish(vec![self.noop(id.clone())?]).await {
                answer?;
            }
            self.stores.results.wait(&id, None).await?;
            micros.saturating_record(begun.elapsed().as_micros() as u64);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(Latency::of(&micros))
    }

    fn noop(&self, id: TaskId) -> Result<Publish> {
        let signature = Signature {
            task: "cardoon.noop".into(),
            args: "[]".into(),
            kwargs: "{}".into(),
            options: SignatureOptions::default(),
        };
        let message = cardoon_protocol::encode(&signature, id, "cardoon-bench")?;
        Ok(Publish { queue: self.queue.clone(), message, not_before: None, resent: false })
    }
}

impl Latency {
    fn of(micros: &Histogram<u64>) -> Self {
        let millis = |micros: u64| micros as f64 / 1000.0;
        Self {
            p50: millis(micros.value_at_quantile(0.5)),
            p99: millis(micros.value_at_quantile(0.99)),
            max: millis(micros.max()),
        }
    }
}

/// A temporary folder for a database that nobody named; removed at the end.
struct OwnFolder(std::path::PathBuf);

impl OwnFolder {
    fn make_unless_named(session: &Session) -> Result<Option<Self>> {
        if session.settings.broker.url.is_some() {
            return Ok(None);
        }
        let path = std::env::temp_dir().join(format!("cardoon-bench-{}", ids::unique()));
        std::fs::create_dir(&path).map_err(|error| {
            Error::new(Code::CannotOpenFile, format!("cannot make the folder {}", path.display()))
                .source(error)
                .hint("name a database: cardoon bench --broker sqlite:bench.db")
        })?;
        Ok(Some(Self(path)))
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("bench.db").display())
    }
}

impl Drop for OwnFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "the bench's folder was left behind");
        }
    }
}

fn rate(tasks: u64, took: Duration) -> f64 {
    tasks as f64 / took.as_secs_f64().max(1e-6)
}

fn table(report: &Report, language: Language) -> Table {
    let mut table = Table::new(&["MEASURE", "VALUE"]).whole();
    for (measure, value) in [
        ("store", report.store.clone()),
        ("tasks", report.tasks.to_string()),
        ("send, per second", format!("{:.0}", report.send_per_second)),
        ("drain, per second", format!("{:.0}", report.drain_per_second)),
        ("send to result, p50", format!("{:.3} ms", report.latency_ms.p50)),
        ("send to result, p99", format!("{:.3} ms", report.latency_ms.p99)),
        ("send to result, max", format!("{:.3} ms", report.latency_ms.max)),
    ] {
        table.row([word(language, measure), &value]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_and_rates_are_told_to_the_microsecond() {
        let mut micros = Histogram::<u64>::new(DIGITS).unwrap();
        for it in [981, 981, 15_007] {
            micros.saturating_record(it);
        }
        let latency_ms = Latency::of(&micros);
        assert_eq!((latency_ms.p50, latency_ms.max), (0.981, 15.007));
        let report = Report {
            store: "memory:".into(),
            tasks: 3,
            send_per_second: rate(3, Duration::from_micros(1500)),
            drain_per_second: 1.0,
            singles: 3,
            latency_ms,
        };
        let text = table(&report, Language::English).render(Language::English);
        assert!(text.contains("0.981 ms") && text.contains("15.007 ms") && text.contains("2000"), "{text}");
    }
}
