//! How far a query is, while it runs on executors.

use cardoon_cluster::{JobState, StageState};

use crate::deaths::{HEAVY, write_many};
use crate::rig::{Cluster, Home, ended, signal, stderr, stdout, until};

/// One stage that reads for long, and one that follows.
const SLOW: &str = "select k % 3 as part, count(*) as n from 'many/*.csv' \
    where encode(sha256(repeat(text, 40)), 'hex') > '0' group by 1";

async fn job(cluster: &Cluster) -> Option<JobState> {
    cluster.state().await.jobs.pop()
}

/// Rows that the stage which reads has read.
fn read(job: &JobState) -> u64 {
    job.stages.iter().map(|stage| stage.counts.rows).sum()
}

#[tokio::test]
async fn executors_tell_how_far_their_tasks_are_before_one_has_ended() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, SLOW);
    let mut seen: Vec<JobState> = Vec::new();
    until("rows are told of before a task has ended", || async {
        job(&cluster)
            .await
            .is_some_and(|job| read(&job) > 0 && job.stages.iter().all(|it| it.tasks_done == 0))
    })
    .await;
    while let Some(job) = job(&cluster).await {
        seen.push(job);
    }
    let first = seen.first().expect("it has ended too soon to show anything");
    let by_id = |job: &JobState, id| job.stages.iter().find(|stage| stage.id == id).cloned();
    let StageState { name, tasks, counts, .. } = by_id(first, 1).unwrap();
    assert_eq!((name.as_str(), tasks), ("read + group", 4));
    assert!(counts.bytes > 0 && counts.bytes < 16_000_000, "{counts:?}");
    assert!(seen.iter().map(read).is_sorted(), "rows are taken back: {:?}", seen.iter().map(read));
    assert!(seen.iter().map(read).all(|rows| rows <= 480_000), "rows are counted twice");
    let said = stderr(&ended(query).await);
    assert!(said.contains(" s: 480000 rows and ") && said.contains(" 0 retries"), "{said}");
}

#[tokio::test]
async fn a_query_whose_executor_was_lost_tells_that_it_was_asked_again() {
    let home = Home::new();
    write_many(&home);
    let cluster = home.cluster(&[]).await;
    let query = home.ask(&cluster, HEAVY);
    cluster.until_it_runs().await;
    cluster.process.children().into_iter().for_each(|executor| signal(executor, "KILL"));
    let output = ended(query).await;
    stdout(&output);
    let said = stderr(&output);
    let retries = said.split_once(" retries").and_then(|(before, _)| before.rsplit(' ').next());
    assert!(retries.is_some_and(|retries| retries.parse::<u64>().unwrap() > 0), "{said}");
    assert!(said.contains(" s: 480000 rows and "), "only what counts in the end is told: {said}");
}
