//! A few seeded rounds of each drill. `cargo xtask soak` runs the full counts.

use std::path::Path;
use std::time::Duration;

use cardoon_drills::demo::{self, MailOptions, WorkerCommand};
use cardoon_faults::drills::false_rescue::Trouble;
use cardoon_faults::drills::{
    broken_messages, deploy, disk, false_rescue, kills, shutdown, stale_runs, steps,
};
use cardoon_faults::{Outcome, Plant, Stage, StoreKind};

/// Cargo builds the workers' program together with these tests, so it cannot be missing or old.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cardoon-faults"))
}

/// The planted bug has to show in this figure.
fn noticed(outcome: &Outcome, figure: &str) {
    let told = outcome.broken.iter().any(|broken| broken.starts_with(figure));
    assert!(told, "the planted bug was not noticed: {outcome} {:?}", outcome.broken);
}

async fn no_false_rescue(stage: Stage<'_>, trouble: Trouble) -> anyhow::Result<()> {
    let options = false_rescue::Options { trouble, running: 100, duration: Duration::from_secs(18) };
    false_rescue::run(stage, options).await?.verdict()
}

/// What every store has to bear.
macro_rules! on {
    ($($module:ident: $store:expr;)*) => {$(
        mod $module {
            use super::*;

            fn stage() -> Stage<'static> {
                Stage { program: program(), store: $store }
            }

            #[tokio::test]
            async fn killed_workers_lose_nothing_and_their_tasks_run_again_soon() -> anyhow::Result<()> {
                kills::run(stage(), kills::Options { kills: 8, seed: 1, plant: None }).await?.verdict()
            }

            #[tokio::test]
            async fn a_worker_that_acknowledges_too_early_is_noticed_by_the_kills() -> anyhow::Result<()> {
                let plant = Some(Plant::AckOnClaim);
                let options = kills::Options { kills: 12, seed: 1, plant };
                noticed(&kills::run(stage(), options).await?, "lost:");
                Ok(())
            }

            #[tokio::test]
            async fn what_a_worker_says_after_a_pause_beyond_its_lease_is_refused() -> anyhow::Result<()> {
                let lease = Duration::from_secs(5);
                stale_runs::run(stage(), stale_runs::Options { rounds: 2, lease }).await?.verdict()
            }

            #[tokio::test]
            async fn a_worker_with_a_tenth_of_a_processor_keeps_its_tasks() -> anyhow::Result<()> {
                no_false_rescue(stage(), Trouble::TenthOfCpu).await
            }

            #[tokio::test]
            async fn workers_that_are_paused_for_eight_seconds_keep_their_tasks() -> anyhow::Result<()> {
                no_false_rescue(stage(), Trouble::Pause(Duration::from_secs(8))).await
            }

            #[tokio::test]
            async fn steps_of_the_wall_clock_take_no_task_from_its_worker() -> anyhow::Result<()> {
                no_false_rescue(stage(), Trouble::ClockSteps).await
            }

            #[tokio::test]
            async fn a_rescuer_that_ignores_who_is_alive_is_noticed() -> anyhow::Result<()> {
                let trouble = Trouble::PlantedRescuer;
                let options =
                    false_rescue::Options { trouble, running: 20, duration: Duration::from_secs(4) };
                noticed(&false_rescue::run(stage(), options).await?, "second runs:");
                Ok(())
            }

            #[tokio::test]
            async fn a_worker_that_stops_or_dies_at_any_step_loses_nothing() -> anyhow::Result<()> {
                let options = steps::Options { rounds: 1, lease: Duration::from_secs(2), seed: 1 };
                steps::run(stage(), options).await?.verdict()
            }

            #[tokio::test]
            async fn draining_workers_under_load_lose_nothing_and_fail_nothing() -> anyhow::Result<()> {
                shutdown::run(stage(), shutdown::Options { rounds: 8, seed: 1 }).await?.verdict()
            }

            #[tokio::test]
            async fn broken_messages_stop_no_worker_and_are_kept_with_their_reason() -> anyhow::Result<()> {
                broken_messages::run(stage()).await?.verdict()
            }

            #[tokio::test]
            async fn a_task_that_only_new_workers_know_is_neither_lost_nor_buried() -> anyhow::Result<()> {
                deploy::run(stage()).await?.verdict()
            }

            #[tokio::test]
            async fn a_task_that_nobody_knows_is_buried_and_can_be_brought_back() -> anyhow::Result<()> {
                deploy::nobody_knows_it(stage()).await?.verdict()
            }
        }
    )*};
}

on! {
    on_sqlite: StoreKind::Sqlite;
    on_redis: StoreKind::Redis;
}

#[tokio::test]
async fn workers_that_are_locked_out_of_the_database_for_ten_seconds_keep_their_tasks() -> anyhow::Result<()>
{
    let stage = Stage { program: program(), store: StoreKind::Sqlite };
    no_false_rescue(stage, Trouble::WriteLock(Duration::from_secs(10))).await
}

#[tokio::test]
async fn a_full_disk_is_told_and_loses_nothing_that_was_acknowledged() -> anyhow::Result<()> {
    disk::run(program(), disk::Fault::Full).await?.verdict()
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_told_and_loses_nothing_that_was_acknowledged() -> anyhow::Result<()> {
    disk::run(program(), disk::Fault::Gone).await?.verdict()
}

#[tokio::test]
async fn a_database_that_cannot_be_written_is_told() -> anyhow::Result<()> {
    disk::run(program(), disk::Fault::ReadOnly).await?.verdict()
}

#[tokio::test]
async fn the_mail_demo_loses_no_mail_when_a_worker_is_killed() -> anyhow::Result<()> {
    let worker = WorkerCommand { program: program().to_owned(), args: vec!["mail-worker".into()] };
    let options = MailOptions { mails: 200, kill_worker: true, ..MailOptions::new(worker) };
    let report = demo::mail(&options, &|_| ()).await?;
    report.verdict()?;
    let killed = report.kill.expect("a worker was killed");
    assert_eq!(report.count.distinct, 200);
    assert!(report.count.duplicates() <= u64::from(options.slots), "{:?}", report.count);
    assert!(killed.started == 0 || killed.second_run_after.is_some());
    Ok(())
}

#[tokio::test]
async fn the_mail_demo_waits_for_the_time_that_it_was_given() -> anyhow::Result<()> {
    let worker = WorkerCommand { program: program().to_owned(), args: vec!["mail-worker".into()] };
    let delay = Duration::from_secs(1);
    let options = MailOptions { mails: 20, delay, ..MailOptions::new(worker) };
    let report = demo::mail(&options, &|_| ()).await?;
    report.verdict()?;
    assert_eq!(report.count.duplicates(), 0);
    assert!(report.took >= options.duration, "a task was executed before it was due: {report:?}");
    Ok(())
}
