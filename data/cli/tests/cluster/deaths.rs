//! Executors that are killed while they work.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::timeout;

use crate::rig::{Cluster, Home, PATIENCE, ended, pass, signal, stderr, stdout};

/// Two stages with many groups, so that it lasts.
pub(crate) const HEAVY: &str = "select sum(c) as rows, sum(s) as s, count(*) as groups, max(t) as last from \
    (select k, count(*) as c, sum(n) as s, max(text) as t from 'many/*.csv' group by k)";

/// How long a query lasts that nobody disturbs, at most.
const LONGEST: u64 = 3000;

/// The variable that says how many kills there are, for a soak.
const RUNS: &str = "CARDOON_SOAK_RUNS";

/// Eight files of 2 MB each.
pub(crate) fn write_many(home: &Home) {
    let mut rng = fastrand::Rng::with_seed(3);
    for file in 0..8 {
        let mut text = String::from("k,n,text\n");
        for _ in 0..60_000 {
            writeln!(text, "{},{},{:016x}", rng.u32(0..200_000), rng.u32(0..1000), rng.u64(..)).unwrap();
        }
        home.write(&format!("many/part-{file}.csv"), text);
    }
}

/// Kills one of the executors at some moment of a query, and answers whether the query ran then. It did with the first
/// seed: there the moment is the query's beginning.
async fn disturbed(home: &Home, cluster: &Cluster, seed: u64, expected: &str) -> bool {
    let mut rng = fastrand::Rng::with_seed(seed);
    let before = cluster.ids().await;
    let executors = cluster.process.children();
    assert_eq!(executors.len(), 2, "seed {seed}");
    let mut query = home.ask(cluster, HEAVY);
    let moment = Duration::from_millis(rng.u64(0..LONGEST));
    if seed == 0 {
        cluster.until_it_runs().await;
    } else {
        pass(moment).await;
    }
    let ran = query.try_wait().unwrap().is_none();
    signal(*rng.choice(&executors).unwrap(), "KILL");
    let output = ended(query).await;
    assert_eq!(stdout(&output), expected, "seed {seed}: {}", stderr(&output));
    cluster.until(Duration::from_secs(20), |ids| ids.len() == 2 && ids != before).await;
    ran
}

#[tokio::test]
async fn whenever_an_executor_is_killed_the_answer_is_right() {
    let runs = std::env::var(RUNS).map_or(4, |runs| runs.parse().unwrap());
    let home = Home::new();
    write_many(&home);
    let expected = home.sql(HEAVY, &[]).await;
    assert!(expected.contains("\n480000,"), "{expected}");
    let cluster = home.cluster(&[]).await;
    let mut hit = 0;
    for seed in 0..runs {
        hit += u64::from(disturbed(&home, &cluster, seed, &expected).await);
    }
    assert!(hit > 0, "no query ran when its executor was killed, so that this shows nothing");
}

#[tokio::test]
async fn when_all_executors_are_killed_at_once_the_new_ones_answer() {
    let home = Home::new();
    write_many(&home);
    let expected = home.sql(HEAVY, &[]).await;
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, HEAVY);
    cluster.until_it_runs().await;
    for executor in cluster.process.children() {
        signal(executor, "KILL");
    }
    let output = timeout(Duration::from_mins(1), ended(query)).await.unwrap();
    assert_eq!(stdout(&output), expected);
}

#[tokio::test]
async fn a_query_that_loses_its_executors_again_and_again_says_which() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, HEAVY);
    let killing = async {
        loop {
            cluster.until_it_runs().await;
            let before = cluster.ids().await;
            cluster.process.children().into_iter().for_each(|executor| signal(executor, "KILL"));
            cluster.until(PATIENCE, |ids| !ids.is_empty() && ids != before).await;
        }
    };
    let output = tokio::select! {
        output = ended(query) => output,
        () = killing => unreachable!("it kills for ever"),
    };
    let said = stderr(&output);
    assert!(said.starts_with("error[CD8023]"), "{said}");
    assert!(said.contains("127.0.0.1:") && said.contains("refuses connections"), "{said}");
}
