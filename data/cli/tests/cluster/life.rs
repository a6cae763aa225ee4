//! Who is taken for lost, and who is not.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use crate::deaths::{HEAVY, write_many};
use crate::rig::{Home, PATIENCE, ended, pass, signal, stdout, until};

/// Keeps each thread busy for long.
const BUSY: &str =
    "select count(*) as n from 'many/*.csv' where encode(sha256(repeat(text, 120)), 'hex') < '0'";

/// Two stages that are soon done, and a long one.
const JOIN: &str = "select count(*) as n from 'many/*.csv' l, (select n from 'many/part-0.csv' limit 300) r \
    where (l.n * r.n) % 1000003 = 1";

/// How long an executor may be silent, in the scheduler's settings.
const LOST_AFTER: Duration = Duration::from_secs(5);

#[tokio::test]
async fn an_executor_that_stands_still_for_a_while_keeps_its_work() {
    let home = Home::new();
    write_many(&home);
    let expected = home.sql(HEAVY, &[]).await;
    let fleet = home.fleet(2).await;
    let before = fleet.cluster.ids().await;
    let query = home.ask(&fleet.cluster, HEAVY);
    fleet.cluster.until_it_runs().await;
    fleet.executors[0].1.signal("STOP");
    let lost = fleet.cluster.until(Duration::from_mins(1), |ids| ids != before);
    tokio::select! {
        () = pass(Duration::from_secs(3)) => {}
        ids = lost => panic!("{ids:?} are left of {before:?}"),
    }
    fleet.executors[0].1.signal("CONT");
    assert_eq!(stdout(&ended(query).await), expected);
    assert_eq!(fleet.cluster.ids().await, before);
}

#[tokio::test]
async fn executors_that_are_busy_are_not_lost() {
    let home = Home::new();
    write_many(&home);
    let fleet = home.fleet(2).await;
    let before = fleet.cluster.ids().await;
    let began = Instant::now();
    let query = home.ask(&fleet.cluster, BUSY);
    fleet.cluster.until_it_runs().await;
    let lost = fleet.cluster.until(Duration::from_mins(2), |ids| ids != before);
    let output = tokio::select! {
        output = ended(query) => output,
        ids = lost => panic!("{ids:?} are left of {before:?}"),
    };
    stdout(&output);
    assert!(began.elapsed() > LOST_AFTER, "{:?} are too short to show anything", began.elapsed());
}

#[tokio::test]
async fn the_work_of_an_executor_that_stands_still_for_good_is_done_by_others() {
    let home = Home::new();
    write_many(&home);
    let expected = home.sql(HEAVY, &[]).await;
    let fleet = home.fleet(2).await;
    let (stopped, process) = &fleet.executors[0];
    let query = home.ask(&fleet.cluster, HEAVY);
    fleet.cluster.until_it_runs().await;
    process.signal("STOP");
    fleet.cluster.until(PATIENCE, |ids| !ids.contains(stopped)).await;
    let answer = timeout(PATIENCE, ended(query)).await.expect("nobody does its work");
    assert_eq!(stdout(&answer), expected);
    process.signal("CONT");
    fleet.cluster.until(PATIENCE, |ids| ids.contains(stopped)).await;
    // The other one is gone, so that this one has to work.
    fleet.executors[1].1.signal("KILL");
    fleet.cluster.until(PATIENCE, |ids| ids == [stopped.clone()]).await;
    assert_eq!(home.sql(HEAVY, &["--cluster", &fleet.cluster.address]).await, expected);
}

#[tokio::test]
async fn a_query_that_is_interrupted_runs_no_more() {
    is_cancelled(BUSY).await;
    is_cancelled(JOIN).await;
}

async fn is_cancelled(query: &str) {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, query);
    cluster.until_it_runs().await;
    signal(query.id().unwrap(), "TERM");
    assert_eq!(ended(query).await.status.code(), Some(143));
    let gone = until("it runs no more", || async { cluster.state().await.jobs.is_empty() });
    timeout(LOST_AFTER, gone).await.expect("it runs on");
}
