//! A million tasks have ended: how soon is the first page of a list there?

use anyhow::{Context, Result, ensure};
use cardoon_core::{QueueName, ResultRecord, RunNumber, TaskFailure, TaskId, TaskState, Timestamp};
use cardoon_runtime::Clock;
use hdrhistogram::Histogram;
use serde_json::Value;

use crate::http::{Connection, get};
use crate::page::Row;
use crate::sides::cardoon_command::Gateway;
use crate::stopwatch::Stopwatch;
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const TASKS: usize = 1_000_000;
const BATCH: usize = 2000;
const REQUESTS: usize = 40;
const MOST_MS: f64 = 200.0;

/// One list: what it is filtered by, and whether there are such tasks.
struct List {
    name: &'static str,
    query: &'static str,
    is_empty: bool,
}

/// `SINCE` is the time at which half of the tasks had ended, `UNTIL` a little later.
const LISTS: [List; 11] = [
    List { name: "no filter", query: "", is_empty: false },
    List { name: "state", query: "?state=FAILURE", is_empty: false },
    List { name: "state that none has", query: "?state=REVOKED", is_empty: true },
    List { name: "name of ten tasks", query: "?task=rare.task", is_empty: false },
    List { name: "unknown name", query: "?task=unknown", is_empty: true },
    List { name: "queue", query: "?queue=queue-3", is_empty: false },
    List { name: "queue and state", query: "?queue=queue-2&state=FAILURE", is_empty: false },
    List { name: "queue and state that never meet", query: "?queue=queue-3&state=FAILURE", is_empty: true },
    List { name: "time", query: "?since=SINCE&until=UNTIL", is_empty: false },
    List { name: "frequent text", query: "?text=number_3", is_empty: false },
    List { name: "text that none has", query: "?text=nowhere", is_empty: true },
];

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    let fixture = Fixture::empty().await?;
    let start = Timestamp(Clock::real().now().0 - TASKS as i64);
    let watch = Stopwatch::start();
    fill(&fixture, start).await?;
    println!("{TASKS} ended tasks stored in {:.0} s", watch.secs());
    let gateway = Gateway::start(&fixture.url())?;
    let mut connection = Connection::open(gateway.address()).await?;
    let mut times = LISTS.each_ref().map(|_| Vec::new());
    for _ in 0..runs {
        for (list, times) in LISTS.iter().zip(&mut times) {
            times.push(list.p95(&mut connection, start).await?);
        }
    }
    drop(gateway);
    fixture.close().await?;
    Ok(vec![row(&times.map(median))])
}

fn row(times: &[f64]) -> Row {
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let told = LISTS.iter().zip(times).map(|(list, ms)| format!("{} {ms:.1}", list.name));
    Row {
        measure:
            "1,000,000 tasks on SQLite have ended: first page of `GET /api/v1/tasks` by filter, p95 in ms"
                .into(),
        cardoon: told.collect::<Vec<_>>().join(", "),
        beside: "-".into(),
        goal: format!("each < {MOST_MS:.0} ms"),
        is_met: Some(slowest < MOST_MS),
    }
}

async fn fill(fixture: &Fixture, start: Timestamp) -> Result<()> {
    let results = &fixture.app.stores().results;
    for first in (0..TASKS).step_by(BATCH) {
        let batch: Result<_> = (first..first + BATCH).map(|n| record(n, start)).collect();
        for stored in results.store(batch?).await {
            stored?;
        }
    }
    Ok(())
}

/// Ten tasks on five queues, one in a hundred fails, one in a hundred thousand is a rare task. One ends each millisecond.
fn record(n: usize, start: Timestamp) -> Result<ResultRecord> {
    let state = if n % 100 == 7 { TaskState::Failure } else { TaskState::Success };
    let task = if n % 100_000 == 11 { "rare.task".to_owned() } else { format!("tasks.number_{}", n % 10) };
    let at = Timestamp(start.0 + n as i64);
    Ok(ResultRecord {
        id: TaskId::new(format!("00000000-0000-4000-8000-{n:012}"))?,
        task,
        queue: QueueName::new(format!("queue-{}", n % 5))?,
        state,
        run: RunNumber(1),
        attempt: 0,
        value: (state == TaskState::Success).then(|| "\"done\"".into()),
        failure: (state == TaskState::Failure).then(|| TaskFailure::new("ValueError", format!("no {n}"))),
        worker: "worker-1".into(),
        started_at: Some(at),
        finished_at: at,
    })
}

fn time(millis: i64) -> Result<String> {
    Ok(jiff::Timestamp::from_millisecond(millis)?.to_string())
}

impl List {
    /// In milliseconds.
    async fn p95(&self, connection: &mut Connection, start: Timestamp) -> Result<f64> {
        let middle = start.0 + TASKS as i64 / 2;
        let query = self.query.replace("SINCE", &time(middle)?).replace("UNTIL", &time(middle + 60_000)?);
        let request = get(&format!("/api/v1/tasks{query}"));
        let mut times = Histogram::<u64>::new(3)?;
        for _ in 0..REQUESTS {
            let watch = Stopwatch::start();
            let page = connection.ask(&request).await?;
            times.record(watch.elapsed().as_nanos() as u64)?;
            let page: Value = serde_json::from_slice(page)?;
            let items = page["items"].as_array().context("a list without items")?;
            ensure!(items.is_empty() == self.is_empty, "{}: {} items", self.name, items.len());
        }
        Ok(times.value_at_quantile(0.95) as f64 / 1e6)
    }
}
