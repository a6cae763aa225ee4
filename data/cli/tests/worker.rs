//! Queries that are sent as tasks.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cardoon::{App, TypedSignature};
use serde_json::{Value, json};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_mins(1);

/// A worker for data, killed with the rig.
struct Rig {
    folder: TempDir,
    worker: Option<Child>,
}

impl Rig {
    fn new() -> Self {
        let rig = Self { folder: tempfile::tempdir().unwrap(), worker: None };
        fs::create_dir(rig.path().join("logs")).unwrap();
        fs::write(rig.path().join("logs/a.csv"), "user_id,n\n1,2\n2,3\n1,4\n").unwrap();
        rig
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.path().join("tasks.db").display())
    }

    fn start_worker(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardoon-data"));
        command.args(["worker", "--broker", &self.url(), "--memory", "256MiB", "--threads", "1"]);
        let worker = command.current_dir(self.path()).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        self.worker = Some(worker.unwrap());
    }

    fn kill_worker(&mut self) {
        if let Some(mut worker) = self.worker.take() {
            worker.kill().unwrap();
            worker.wait().unwrap();
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.kill_worker();
    }
}

fn call(query: &str, out: &str) -> TypedSignature<Value> {
    TypedSignature::named("cardoon.data.sql").kwargs(json!({"query": query, "out": out})).queue("data")
}

const COUNTS: &str = "select user_id, sum(n) as n from 'logs/*.csv' group by user_id order by user_id";

#[tokio::test]
async fn a_query_is_answered_with_a_file() {
    let mut rig = Rig::new();
    let app = App::connect(&rig.url()).await.unwrap();
    rig.start_worker();
    fs::write(rig.path().join("here.csv"), "x\n1\n").unwrap();
    let here = app.send(call("select x from 'h*.csv'", "x.csv")).await.unwrap().wait(PATIENCE).await.unwrap();
    assert_eq!(here["rows"], 1, "the worker's own folder is its root");
    let counts = app.send(call(COUNTS, "counts.csv")).await.unwrap().wait(PATIENCE).await.unwrap();
    let figures = ["rows", "rows_read", "bytes_read", "bad_rows", "spilled_bytes", "restarts", "retries"];
    let counted = figures.map(|name| counts[name].as_u64().unwrap());
    assert_eq!(counted, [2, 3, 22, 0, 0, 0, 0], "{counts}");
    assert!(counts["seconds"].as_f64().unwrap() > 0.0, "{counts}");
    assert_eq!(fs::read_to_string(rig.path().join("counts.csv")).unwrap(), "user_id,n\n1,6\n2,3\n");
}

#[tokio::test]
async fn a_query_that_is_wrong_fails_at_once_and_one_that_leads_outside_too() {
    let mut rig = Rig::new();
    let app = App::connect(&rig.url()).await.unwrap();
    rig.start_worker();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("secret.csv"), "x\n1\n").unwrap();
    let other = other.path().display();
    for (query, out, code) in [
        ("select nobody from 'logs/*.csv'".to_owned(), "a.csv".to_owned(), "CD8004"),
        (format!("select * from '{other}/secret.csv'"), "a.csv".to_owned(), "CD8016"),
        (COUNTS.to_owned(), format!("{other}/a.csv"), "CD8016"),
    ] {
        let handle = app.send(call(&query, &out)).await.unwrap();
        let error = handle.wait(PATIENCE).await.unwrap_err();
        assert!(format!("{error:?}").contains(code), "{query}: {error:?}");
    }
    assert!(!rig.path().join("a.csv").exists());
}

#[tokio::test]
async fn a_worker_that_is_killed_leaves_no_half_file_and_the_next_one_writes_it_whole() {
    let mut rig = Rig::new();
    fs::write(rig.path().join("logs/b.csv"), format!("user_id,n\n{}", "12345,678\n".repeat(400_000)))
        .unwrap();
    let app = App::connect(&rig.url()).await.unwrap();
    rig.start_worker();
    let handle = app.send(call("select * from 'logs/*.csv' order by n desc", "all.csv")).await.unwrap();
    let begun = || fs::read_dir(rig.path()).unwrap().any(|entry| is_temporary(&entry.unwrap().path()));
    let mut looks = tokio::time::interval(Duration::from_millis(2));
    tokio::time::timeout(PATIENCE, async {
        while !begun() {
            looks.tick().await;
        }
    })
    .await
    .unwrap();
    rig.kill_worker();
    assert!(!rig.path().join("all.csv").exists());
    rig.start_worker();
    assert_eq!(handle.wait(PATIENCE).await.unwrap()["rows"], 400_003);
    let whole = fs::read_to_string(rig.path().join("all.csv")).unwrap();
    assert_eq!(whole.lines().count(), 400_004);
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.starts_with(".all.csv.")
}
