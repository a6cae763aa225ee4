//! How fast the store alone is, without a worker: `cargo run --release -p cardoon-sqlite --example pace [FOLDER]`.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cardoon_broker::{Broker, ConsumeSpec, Consumer, Delivery, Publish, Settle};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::Verdict;
use cardoon_core::{Message, Priority, QueueName, ResultRecord, RunNumber, TaskState};
use cardoon_errors::Result;
use cardoon_runtime::{Clock, ids};
use cardoon_sqlite::{SqliteOptions, SqliteStore};

const COUNT: usize = 20_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| std::env::temp_dir().join("cardoon-pace").display().to_string());
    let waiting: usize = std::env::args().nth(2).and_then(|text| text.parse().ok()).unwrap_or(0);
    // The folder may not be there, which is as good.
    let _ = std::fs::remove_dir_all(&folder);
    let path = Path::new(&folder).join("tasks.db");
    let store = SqliteStore::open(path, &SqliteOptions::default(), &Clock::real())?;
    if waiting > 0 {
        publish(&store, waiting, 1000, "other", 0).await?;
        publish(&store, waiting / 10, 1000, "other", 3_600_000).await?;
    }
    for (batch, claims, ahead) in [(64, 64, 1), (256, 64, 4), (COUNT, 256, 2)] {
        report(&format!("publish, batches of {batch}"), publish(&store, COUNT, batch, "celery", 0).await?);
        let what = format!("drain, claims of {claims}, {ahead} settles under way");
        report(&what, drain(&store, claims, ahead).await?);
    }
    report("publish from 8 at once, one each", singles(&store, 8).await?);
    Broker::close(&*store, Duration::from_secs(30)).await
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn report(what: &str, rate: f64) {
    println!("{what:<50} {rate:>10.0} /s");
}

#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn start() -> Instant {
    Instant::now()
}

fn message(queue: &str, delay: u64) -> Publish {
    let now = Clock::real().now();
    Publish {
        queue: QueueName::new(queue).expect("a good name"),
        message: Message {
            id: ids::task_id(),
            attempt: 0,
            task: "cardoon.noop".into(),
            priority: Priority::default(),
            expires: None,
            content_type: Cow::Borrowed("application/json"),
            content_encoding: Cow::Borrowed("utf-8"),
            headers: Bytes::from(vec![b' '; 500]),
            body: Bytes::from_static(
                b"[[], {}, {\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}]",
            ),
        },
        not_before: (delay > 0).then(|| now.plus(Duration::from_millis(delay))),
        resent: false,
    }
}

async fn publish(
    store: &Arc<SqliteStore>,
    count: usize,
    batch: usize,
    queue: &str,
    delay: u64,
) -> Result<f64> {
    let mut all: Vec<Publish> = (0..count).map(|_| message(queue, delay)).collect();
    let begun = start();
    while !all.is_empty() {
        let rest = all.split_off(all.len().min(batch));
        for answer in store.publish(std::mem::replace(&mut all, rest)).await {
            answer?;
        }
    }
    Ok(count as f64 / begun.elapsed().as_secs_f64())
}

async fn singles(store: &Arc<SqliteStore>, senders: usize) -> Result<f64> {
    let begun = start();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..senders {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for _ in 0..COUNT / 8 {
                for answer in store.publish(vec![message("single", 0)]).await {
                    answer?;
                }
            }
            Ok::<(), cardoon_errors::Error>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no sender panics")?;
    }
    Ok((COUNT / 8 * senders) as f64 / begun.elapsed().as_secs_f64())
}

async fn drain(store: &Arc<SqliteStore>, batch: usize, ahead: usize) -> Result<f64> {
    let consumer = store.consume(spec()).await?;
    let begun = start();
    let mut settles = tokio::task::JoinSet::new();
    let mut taken = 0;
    while taken < COUNT {
        let deliveries = consumer.claim(batch).await?;
        taken += deliveries.len();
        let ends: Vec<Settle> = deliveries.iter().map(end).collect();
        let consumer: Arc<dyn Consumer> = Arc::clone(&consumer);
        settles.spawn(async move { consumer.settle(ends).await });
        while settles.len() >= ahead {
            for answer in settles.join_next().await.expect("one is under way").expect("no settle panics") {
                answer?;
            }
        }
    }
    while let Some(answers) = settles.join_next().await {
        for answer in answers.expect("no settle panics") {
            answer?;
        }
    }
    let rate = taken as f64 / begun.elapsed().as_secs_f64();
    consumer.close().await?;
    Ok(rate)
}

fn spec() -> ConsumeSpec {
    ConsumeSpec {
        worker: "pace".into(),
        queues: vec![QueueName::default_queue()],
        tasks: vec!["cardoon.noop".into()],
        slots: 8,
        terms: LeaseTerms::default(),
    }
}

fn end(delivery: &Delivery) -> Settle {
    let now = Clock::real().now();
    let record = ResultRecord {
        id: delivery.message.id.clone(),
        task: delivery.message.task.clone(),
        queue: delivery.queue.clone(),
        state: TaskState::Success,
        run: RunNumber::FIRST,
        attempt: 0,
        value: Some(Bytes::from_static(b"null")),
        failure: None,
        worker: "pace".into(),
        started_at: Some(now),
        finished_at: now,
    };
    Settle { record: Some(record), ..Settle::bare(delivery.lease, Verdict::Ack) }
}
