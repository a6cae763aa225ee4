//! What the processes of a verification do.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use cardoon::{App, State, TaskContext, TaskError, Worker};
use cardoon_coord::Coordinator;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use serde::{Deserialize, Serialize};

use super::parent::while_parent_lives;
use crate::{Witness, process};

/// Waits, and tells the witness.
pub(super) const WAIT: &str = "cardoon.verify.wait";
/// The same, acknowledged before it runs.
pub(super) const EARLY: &str = "cardoon.verify.early";

/// Entries of a verification are gone after this time, whatever becomes of it.
pub(super) const KEPT: Duration = Duration::from_mins(10);
/// Between two looks whether the counting may begin.
const LOOK: Duration = Duration::from_millis(2);

/// What a process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Spec {
    Worker {
        name: String,
        queue: String,
        slots: u32,
        witness: PathBuf,
    },
    Counter(CounterSpec),
    /// Stops another process for a while. It is a process of its own that does it, so that nobody stays stopped if the
    /// verification is killed meanwhile.
    Pause {
        pid: u32,
        millis: u64,
    },
}

/// Adds one to an entry, again and again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CounterSpec {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) times: u32,
    pub(super) way: Way,
    /// Where the number of conflicts is written.
    pub(super) answer: PathBuf,
}

/// How a record is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// Read, add, write if nobody has written meanwhile, else again.
    CompareAndSet,
    /// Read, add, write.
    Naive,
}

impl CounterSpec {
    /// There when this counter is ready.
    pub(super) fn ready(&self) -> String {
        format!("{}:{}", self.key, self.name)
    }
}

/// There when the counters of `key` may begin.
pub(super) fn go(key: &str) -> String {
    format!("{key}:go")
}

/// The work of a process that a verification has started with this argument.
pub async fn node(spec: &str) -> Result<()> {
    let spec = serde_json::from_str(spec).map_err(|error| {
        Error::new(Code::DrillFailed, "this is no order of a verification")
            .source(error)
            .hint("this command is started by `cardoon verify`, never by hand")
    })?;
    match spec {
        Spec::Worker { name, queue, slots, witness } => {
            let app = App::open_default().await?;
            let witness = Witness::open(witness, Clock::real()).map_err(|error| {
                Error::new(Code::DrillFailed, "cannot write the witness's file").source(error)
            })?;
            let worker = Worker::builder(&app).name(name).queues([queue]).concurrency(slots).state(witness);
            let run = worker.task::<wait>().task::<wait_early>().run();
            while_parent_lives(async { run.await.map(drop) }).await.map(drop)
        }
        Spec::Counter(spec) => {
            let app = App::open_default().await?;
            while_parent_lives(count(app.stores().coord.as_ref(), &spec)).await.map(drop)
        }
        Spec::Pause { pid, millis } => process::stop_for(pid, Duration::from_millis(millis), &Clock::real())
            .await
            .map_err(|error| Error::new(Code::DrillFailed, "a process cannot be paused").source(error)),
    }
}

#[cardoon::task(name = "cardoon.verify.wait", ack = "late", retries = 0, ignore_result)]
async fn wait(ctx: TaskContext, witness: State<Witness>, millis: u64) -> Result<(), TaskError> {
    stay(&ctx, &witness, millis).await
}

#[cardoon::task(name = "cardoon.verify.early", ack = "early", retries = 0, ignore_result)]
async fn wait_early(ctx: TaskContext, witness: State<Witness>, millis: u64) -> Result<(), TaskError> {
    stay(&ctx, &witness, millis).await
}

async fn stay(ctx: &TaskContext, witness: &Witness, millis: u64) -> Result<(), TaskError> {
    witness.started(ctx.id(), ctx.run())?;
    if millis > 0 {
        Clock::real().sleep(Duration::from_millis(millis)).await;
    }
    witness.ended(ctx.id(), ctx.run())?;
    Ok(())
}

async fn count(coord: &dyn Coordinator, spec: &CounterSpec) -> Result<()> {
    coord.put(&spec.ready(), Bytes::from_static(b"1"), Some(KEPT)).await?;
    while coord.get(&go(&spec.key)).await?.is_none() {
        Clock::real().sleep(LOOK).await;
    }
    let conflicts = add(coord, &spec.key, spec.times, spec.way).await?;
    std::fs::write(&spec.answer, conflicts.to_string())
        .map_err(|error| Error::new(Code::DrillFailed, "cannot write the counter's file").source(error))
}

/// Adds one `times` times; answers how often somebody else was first.
pub(super) async fn add(coord: &dyn Coordinator, key: &str, times: u32, way: Way) -> Result<u64> {
    let mut conflicts = 0;
    for _ in 0..times {
        loop {
            let (sum, version) = read(coord, key).await?;
            let next = Bytes::from((sum + 1).to_string());
            let written = match way {
                Way::CompareAndSet => coord.compare_and_set(key, version, next, Some(KEPT)).await?,
                Way::Naive => Some(coord.put(key, next, Some(KEPT)).await?),
            };
            if written.is_some() {
                break;
            }
            conflicts += 1;
        }
    }
    Ok(conflicts)
}

/// The number that stands under `key`, and its version.
pub(super) async fn read(coord: &dyn Coordinator, key: &str) -> Result<(u64, Option<u64>)> {
    let Some(entry) = coord.get(key).await? else { return Ok((0, None)) };
    let number = std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok());
    let no_number = || Error::new(Code::DrillFailed, "the counter's entry holds no number");
    Ok((number.ok_or_else(no_number)?, Some(entry.version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_coord::memory::MemoryCoordinator;

    #[tokio::test]
    async fn a_counter_adds_in_both_ways_when_it_is_alone() {
        let coord = MemoryCoordinator::new(Clock::real());
        assert_eq!(add(coord.as_ref(), "k", 3, Way::CompareAndSet).await.unwrap(), 0);
        assert_eq!(add(coord.as_ref(), "k", 2, Way::Naive).await.unwrap(), 0);
        assert_eq!(read(coord.as_ref(), "k").await.unwrap().0, 5);
    }

    #[tokio::test]
    async fn a_process_that_nobody_gave_an_order_says_who_starts_it() {
        let error = node("by hand").await.unwrap_err();
        assert!(error.next_step().unwrap().contains("cardoon verify"));
    }
}
