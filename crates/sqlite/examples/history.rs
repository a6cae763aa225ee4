//! How fast a long history is listed: `cargo run --release -p cardoon-sqlite --example history [TASKS] [FOLDER]`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cardoon_core::{
    QueueName, ResultRecord, RunNumber, TaskFailure, TaskFilter, TaskId, TaskState, Timestamp,
};
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;
use cardoon_sqlite::{SqliteOptions, SqliteStore};

const BATCH: usize = 2000;
const PAGE: usize = 50;
const ROUNDS: usize = 40;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let tasks: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let folder = std::env::args().nth(2).map_or_else(default_folder, PathBuf::from);
    // The folder may not be there, which is as good.
    let _ = std::fs::remove_dir_all(&folder);
    let store = SqliteStore::open(folder.join("tasks.db"), &SqliteOptions::default(), &Clock::real())?;
    let start = Timestamp(Clock::real().now().0 - tasks as i64);
    let began = now();
    for first in (0..tasks).step_by(BATCH) {
        let batch = (first..tasks.min(first + BATCH)).map(|n| record(n, start)).collect();
        for stored in store.store(batch).await {
            stored?;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    say(&format!("{tasks} records stored in {seconds:.1} s, {:.0} a second", tasks as f64 / seconds));
    let middle = Timestamp(start.0 + tasks as i64 / 2);
    for (name, filter) in filters(middle) {
        report(name, &store, &filter).await?;
    }
    Ok(())
}

fn default_folder() -> PathBuf {
    std::env::temp_dir().join("cardoon-history")
}

/// Ten tasks on five queues, one in a hundred fails, one in a hundred thousand is a rare task.
fn record(n: usize, start: Timestamp) -> ResultRecord {
    let state = if n % 100 == 7 { TaskState::Failure } else { TaskState::Success };
    let task = if n % 100_000 == 11 { "rare.task".to_owned() } else { format!("tasks.number_{}", n % 10) };
    ResultRecord {
        id: TaskId::new(format!("00000000-0000-4000-8000-{n:012}")).expect("it is an id"),
        task,
        queue: QueueName::new(format!("queue-{}", n % 5)).expect("it is a name"),
        state,
        run: RunNumber(1),
        attempt: 0,
        value: (state == TaskState::Success).then(|| "\"done\"".into()),
        failure: (state == TaskState::Failure).then(|| TaskFailure::new("ValueError", format!("no {n}"))),
        worker: "worker-1".into(),
        started_at: Some(Timestamp(start.0 + n as i64)),
        finished_at: Timestamp(start.0 + n as i64),
    }
}

fn filters(middle: Timestamp) -> Vec<(&'static str, TaskFilter)> {
    let all = TaskFilter::default();
    let queue = Some(QueueName::new("queue-3").expect("it is a name"));
    vec![
        ("all", all.clone()),
        ("state=FAILURE", TaskFilter { state: Some(TaskState::Failure), ..all.clone() }),
        ("state=REVOKED (none)", TaskFilter { state: Some(TaskState::Revoked), ..all.clone() }),
        ("task=rare.task", TaskFilter { task: Some("rare.task".into()), ..all.clone() }),
        ("task=unknown (none)", TaskFilter { task: Some("unknown".into()), ..all.clone() }),
        ("queue", TaskFilter { queue: queue.clone(), ..all.clone() }),
        ("queue and state", TaskFilter { queue, state: Some(TaskState::Failure), ..all.clone() }),
        ("until the middle", TaskFilter { until: Some(middle), ..all.clone() }),
        (
            "failures until the middle",
            TaskFilter { until: Some(middle), state: Some(TaskState::Failure), ..all.clone() },
        ),
        ("text, frequent", TaskFilter { text: Some("number_3".into()), ..all.clone() }),
        ("text, none: what one page looks at", TaskFilter { text: Some("nowhere".into()), ..all }),
    ]
}

async fn report(name: &str, store: &SqliteStore, filter: &TaskFilter) -> Result<()> {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..ROUNDS {
        let began = now();
        found = store.list(filter, None, PAGE).await?.items.len();
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
    let (middle, late) = (times[ROUNDS / 2], times[ROUNDS * 95 / 100]);
    say(&format!("{name:36} {found:3} found   p50 {:>9}   p95 {:>9}", shown(middle), shown(late)));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what the program is for")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::disallowed_methods, reason = "it measures real time")]
fn now() -> Instant {
    Instant::now()
}
