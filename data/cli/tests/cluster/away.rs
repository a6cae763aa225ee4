//! The scheduler is killed.

use std::time::Duration;

use cardoon::{App, TypedSignature};
use serde_json::{Value, json};

use crate::deaths::{HEAVY, write_many};
use crate::rig::{Cluster, Home, PATIENCE, Process, ended, exists, stderr, until};

#[tokio::test]
async fn with_a_cluster_its_executors_end_and_the_query_fails_with_a_code() {
    let home = Home::new();
    write_many(&home);
    let mut cluster = home.cluster(&[]).await;
    let executors = cluster.process.children();
    assert_eq!(executors.len(), 2);
    let query = home.ask(&cluster, HEAVY);
    cluster.until_it_runs().await;
    cluster.process.kill().await;
    let output = ended(query).await;
    let said = stderr(&output);
    assert!(said.contains("error[CD8019]") && !said.contains("panicked"), "{said}");
    assert_eq!(output.status.code(), Some(3), "{said}");
    let gone = until("the executors have ended", || async { !executors.iter().any(|id| exists(*id)) });
    tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    let output = home.run(&["sql", HEAVY, "--cluster", &cluster.address]).await;
    assert!(stderr(&output).contains("error[CD8019]"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test]
async fn a_query_that_is_a_task_is_carried_out_by_the_next_cluster() {
    let home = Home::new();
    write_many(&home);
    let mut cluster = home.cluster(&[]).await;
    let url = format!("sqlite:{}", home.path().join("tasks.db").display());
    let app = App::connect(&url).await.unwrap();
    let words = ["worker", "--broker", &url, "--memory", "256MiB", "--cluster", &cluster.address];
    let mut worker = Process::new(home.command(&words).spawn().unwrap());
    let arguments = json!({"query": "select * from 'many/*.csv' order by text, k, n", "out": "all.csv"});
    let task = TypedSignature::<Value>::named("cardoon.data.sql").kwargs(arguments).queue("data");
    let handle = app.send(task).await.unwrap();
    cluster.until_it_runs().await;
    cluster.process.kill().await;
    assert!(!home.path().join("all.csv").exists());
    let again = home.command(&["cluster", "--bind", &cluster.address, "--workers", "2", "--with-parent"]);
    let again = Cluster::told({ again }.stdin(std::process::Stdio::piped())).await;
    assert_eq!(again.address, cluster.address);
    assert_eq!(handle.wait(PATIENCE).await.unwrap()["rows"], 480_000);
    let whole = std::fs::read_to_string(home.path().join("all.csv")).unwrap();
    assert_eq!(whole.lines().count(), 480_001);
    assert!(worker.is_alive());
}
