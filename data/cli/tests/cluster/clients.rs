//! Clients that are killed or stand still while their query runs.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use crate::deaths::write_many;
use crate::rig::{Cluster, Home, PATIENCE, Process, ended, pass, signal, stderr, stdout, until};

/// One stage that is soon done, and a long one.
const TWO_STAGES: &str = "select count(*) as n from 'many/*.csv' l, (select n from 'many/part-0.csv' limit 300) r \
    where (l.n * r.n) % 1000003 = 1";

const QUERY: &str =
    "select count(*) as n from 'many/*.csv' where encode(sha256(repeat(text, 40)), 'hex') > '0'";

/// How long a client may be silent, in the scheduler's settings.
const ABANDONED_AFTER: Duration = Duration::from_secs(10);

/// Lets executors work a little at a time for `time`, so that a query lasts and the machine is not busy. None stands
/// still for so long that it is lost.
async fn slow_down(cluster: &Cluster, time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        cluster.process.children().into_iter().for_each(|executor| signal(executor, "STOP"));
        pass(Duration::from_secs(2)).await;
        cluster.process.children().into_iter().for_each(|executor| signal(executor, "CONT"));
        pass(Duration::from_millis(200)).await;
    }
}

/// What executors keep for queries, below the folder of temporary files.
fn produced(folder: &Path) -> Vec<PathBuf> {
    // Files come and go meanwhile.
    let entries =
        |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries(folder)
        .filter(|path| path.is_dir())
        .flat_map(|path| if path.ends_with("shuffle") { entries(&path).collect() } else { produced(&path) })
        .collect()
}

/// Waits until the scheduler has cancelled the query that runs.
async fn is_cancelled(cluster: &Cluster) {
    let gone = until("nothing runs any more", || async { cluster.state().await.jobs.is_empty() });
    tokio::select! {
        () = gone => {}
        () = slow_down(cluster, 2 * PATIENCE) => {}
    }
    cluster.process.children().into_iter().for_each(|executor| signal(executor, "CONT"));
}

#[tokio::test]
async fn the_query_of_a_client_that_was_killed_is_cancelled() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let mut client = Process::new(home.ask(&cluster, TWO_STAGES));
    until("a stage has produced something", || async { !produced(home.path()).is_empty() }).await;
    client.kill().await;
    let killed = Instant::now();
    is_cancelled(&cluster).await;
    assert!(killed.elapsed() >= ABANDONED_AFTER / 2, "it has ended by itself, so that this shows nothing");
    until("what it has produced is removed", || async { produced(home.path()).is_empty() }).await;
    assert_eq!(home.sql("select 1 as one", &["--cluster", &cluster.address]).await, "one\n1\n");
}

#[tokio::test]
async fn the_query_of_a_client_that_lives_is_not_cancelled_however_long_it_takes() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let mut query = home.ask(&cluster, QUERY);
    cluster.until_it_runs().await;
    slow_down(&cluster, ABANDONED_AFTER + Duration::from_secs(2)).await;
    assert!(query.try_wait().unwrap().is_none(), "it has ended too soon to show anything");
    let output = ended(query).await;
    assert_eq!(stdout(&output), "n\n480000\n");
    assert!(stderr(&output).contains(" 0 retries"), "{}", stderr(&output));
}

#[tokio::test]
async fn a_client_that_stood_still_for_too_long_asks_again() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, QUERY);
    let client = query.id().unwrap();
    cluster.until_it_runs().await;
    signal(client, "STOP");
    is_cancelled(&cluster).await;
    signal(client, "CONT");
    let output = ended(query).await;
    assert_eq!(stdout(&output), "n\n480000\n");
    assert!(stderr(&output).contains(" 1 retries"), "{}", stderr(&output));
}
