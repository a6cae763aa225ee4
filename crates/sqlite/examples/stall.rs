//! How long senders wait while a database is looked after:
//! `cargo run --release -p cardoon-sqlite --example stall [FOLDER] [MIB]`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cardoon_broker::{Broker, Publish};
use cardoon_core::{Message, Priority, QueueName};
use cardoon_errors::Result;
use cardoon_runtime::{Clock, ids};
use cardoon_sqlite::care::{Space, backup, check, vacuum};
use cardoon_sqlite::{SqliteOptions, SqliteStore};

/// A message's body.
const BODY: usize = 4096;

/// Messages of one batch.
const BATCH: usize = 256;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().map_or_else(|| std::env::temp_dir().join("cardoon-stall"), PathBuf::from);
    let mebibytes: usize = words.next().and_then(|text| text.parse().ok()).unwrap_or(1024);
    // The folder may not be there, which is as good.
    let _ = std::fs::remove_dir_all(&folder);
    let path = folder.join("tasks.db");
    let store = SqliteStore::open(&path, &SqliteOptions::default(), &Clock::real())?;
    fill(&store, "keep", mebibytes / 2).await?;
    fill(&store, "drop", mebibytes / 2).await?;
    report(&format!("a database of {} MiB", size(&path)), &measure(&store, || Ok(()))?);
    report("check", &measure(&store, || check(&path, false).map(drop))?);
    report("check --full", &measure(&store, || check(&path, true).map(drop))?);
    let copy = folder.join("copy.db");
    report("backup", &measure(&store, || backup(&path, &copy, false, &Clock::real()).map(drop))?);
    report("vacuum --full", &measure(&store, || vacuum(&path, Space::All).map(drop))?);
    store.inspect().purge(&queue("drop")).await?;
    report("vacuum --wal", &measure(&store, || vacuum(&path, Space::Log).map(drop))?);
    report("vacuum, of one half", &measure(&store, || vacuum(&path, Space::Free).map(drop))?);
    report(&format!("a database of {} MiB", size(&path)), &measure(&store, || Ok(()))?);
    Broker::close(&*store, Duration::from_mins(1)).await
}

/// How long a job took, and how long a sender waited at most meanwhile.
struct Measured {
    took: Duration,
    sent: usize,
    longest: Duration,
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn report(what: &str, measured: &Measured) {
    let Measured { took, sent, longest } = measured;
    println!("{what:<28} took {took:>10.3?}; {sent:>6} messages were sent, the slowest in {longest:>10.3?}");
}

#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn now() -> Instant {
    Instant::now()
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |found| found.len() / (1024 * 1024))
}

/// Sends one message after the other while `job` runs on a thread of its own, and for a second after it.
fn measure(store: &Arc<SqliteStore>, job: impl FnOnce() -> Result<()> + Send) -> Result<Measured> {
    let is_over = AtomicBool::new(false);
    let handle = tokio::runtime::Handle::current();
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let probe = scope.spawn(|| handle.block_on(probe(store, &is_over)));
            let begun = now();
            let done = job();
            let took = begun.elapsed();
            is_over.store(true, Ordering::Relaxed);
            let (sent, longest) = probe.join().expect("the probe does not panic")?;
            done.map(|()| Measured { took, sent, longest })
        })
    })
}

async fn probe(store: &SqliteStore, is_over: &AtomicBool) -> Result<(usize, Duration)> {
    let (mut sent, mut longest) = (0, Duration::ZERO);
    let mut left = 200;
    while left > 0 {
        let begun = now();
        for answer in store.publish(vec![message("probe")]).await {
            answer?;
        }
        (sent, longest) = (sent + 1, longest.max(begun.elapsed()));
        left -= u32::from(is_over.load(Ordering::Relaxed));
        Clock::real().sleep(Duration::from_millis(2)).await;
    }
    Ok((sent, longest))
}

async fn fill(store: &SqliteStore, queue: &str, mebibytes: usize) -> Result<()> {
    for _ in 0..mebibytes * 1024 * 1024 / (BODY + 1024) / BATCH {
        for answer in store.publish((0..BATCH).map(|_| message(queue)).collect()).await {
            answer?;
        }
    }
    Ok(())
}

fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("a good name")
}

fn message(to: &str) -> Publish {
    Publish {
        queue: queue(to),
        message: Message {
            id: ids::task_id(),
            attempt: 0,
            task: "cardoon.noop".into(),
            priority: Priority::default(),
            expires: None,
            content_type: Cow::Borrowed("application/json"),
            content_encoding: Cow::Borrowed("utf-8"),
            headers: Bytes::from_static(b"{}"),
            body: Bytes::from(vec![b' '; BODY]),
        },
        not_before: None,
        resent: false,
    }
}
