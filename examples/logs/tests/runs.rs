#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::process::Command;

use cardoon_engine::{Engine, Settings};
use cardoon_frame::Frame;
use datafusion::arrow::array::RecordBatch;
use tempfile::TempDir;

fn logs() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let write = |name: &str, rows: &str| {
        let text = format!("user_id,action,timestamp\n{rows}");
        fs::write(folder.path().join("logs").join(name), text).unwrap();
    };
    write("a.csv", "7,login,2026-01-01T00:00:00\n3,login,2026-01-01T00:00:01\n");
    write("b.csv", "7,view,2026-01-02T00:00:00\n7,logout,2026-01-02T00:00:09\n");
    folder
}

#[test]
fn the_busiest_users_are_shown() {
    let folder = logs();
    let output = Command::new(env!("CARGO_BIN_EXE_logs")).current_dir(folder.path()).output().unwrap();
    let table = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows, ["| user_id | actions |", "| 7       | 3       |", "| 3       | 1       |"]);
}

#[tokio::test]
async fn the_query_in_sql_says_the_same() {
    let folder = logs();
    let logs = folder.path().join("logs/*.csv").display().to_string();
    let query = include_str!("../logs.sql").replace("logs/*.csv", &logs);
    let (_, rows) = Engine::new(Settings::new()).unwrap().collect(&Frame::sql(query)).await.unwrap();
    let rows: Vec<usize> = rows.iter().map(RecordBatch::num_rows).collect();
    assert_eq!(rows.iter().sum::<usize>(), 2);
}
