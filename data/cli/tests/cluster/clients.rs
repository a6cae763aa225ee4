//! Clients that are killed or stand still while their query runs.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::deaths::write_many;
use crate::rig::{Home, Process, ended, pass, signal, stderr, stdout, until};

/// Keeps each thread busy for longer than a client may be silent.
const LONG: &str =
    "select count(*) as n from 'many/*.csv' where encode(sha256(repeat(text, 130)), 'hex') > '0'";

/// How long a client may be silent, in the scheduler's settings.
const ABANDONED_AFTER: Duration = Duration::from_secs(10);

#[tokio::test]
async fn the_query_of_a_client_that_was_killed_is_cancelled() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let mut client = Process::new(home.ask(&cluster, LONG));
    cluster.until_it_runs().await;
    client.kill().await;
    let gone = until("nothing runs any more", || async { cluster.state().await.jobs.is_empty() });
    timeout(ABANDONED_AFTER + Duration::from_secs(5), gone).await.expect("it runs on");
    assert_eq!(home.sql("select 1 as one", &["--cluster", &cluster.address]).await, "one\n1\n");
}

#[tokio::test]
async fn the_query_of_a_client_that_lives_is_not_cancelled_however_long_it_takes() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let began = Instant::now();
    let output = ended(home.ask(&cluster, LONG)).await;
    assert_eq!(stdout(&output), "n\n480000\n");
    assert!(stderr(&output).contains(" 0 retries"), "{}", stderr(&output));
    let longest = ABANDONED_AFTER + Duration::from_secs(1);
    assert!(began.elapsed() > longest, "{:?} are too short to show anything", began.elapsed());
}

#[tokio::test]
async fn a_client_that_stood_still_for_too_long_asks_again() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, LONG);
    let client = query.id().unwrap();
    cluster.until_it_runs().await;
    pass(Duration::from_secs(1)).await;
    signal(client, "STOP");
    let gone = until("nothing runs any more", || async { cluster.state().await.jobs.is_empty() });
    timeout(ABANDONED_AFTER + Duration::from_secs(5), gone).await.expect("it runs on");
    signal(client, "CONT");
    let output = ended(query).await;
    assert_eq!(stdout(&output), "n\n480000\n");
    assert!(stderr(&output).contains(" 1 retries"), "{}", stderr(&output));
}
