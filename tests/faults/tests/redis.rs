//! What only a server does. `cargo xtask soak` runs the same for longer.

use std::path::Path;
use std::time::Duration;

use cardoon_faults::drills::redis::trial::{self, Options};
use cardoon_faults::drills::redis::{Trouble, accident, stopped};
use cardoon_faults::{Outcome, Plant};
use cardoon_testkit::AppendOnly;
use futures_util::future::try_join_all;

/// Cargo builds the workers' program together with these tests, so it cannot be missing or old.
fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cardoon-faults"))
}

/// The planted bug has to show in this figure.
fn noticed(outcome: &Outcome, figure: &str) {
    let told = outcome.broken.iter().any(|broken| broken.starts_with(figure));
    assert!(told, "the planted bug was not noticed: {outcome} {:?}", outcome.broken);
}

async fn bears(trouble: Trouble) -> anyhow::Result<()> {
    trial::run(program(), Options::new(trouble)).await?.verdict()
}

/// The same for several, each with a server of its own, side by side.
async fn bears_each(troubles: impl IntoIterator<Item = Trouble>) -> anyhow::Result<()> {
    try_join_all(troubles.into_iter().map(bears)).await.map(drop)
}

const TWO: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_killed_server_that_syncs_always_loses_nothing() -> anyhow::Result<()> {
    let trouble = Trouble::ServerKilled(TWO);
    let options = Options { append_only: AppendOnly::Always, ..Options::new(trouble) };
    trial::run(program(), options).await?.verdict()
}

#[tokio::test]
async fn a_killed_server_that_syncs_every_second_loses_no_more_than_that() -> anyhow::Result<()> {
    let trouble = Trouble::ServerKilled(TWO);
    let options = Options { append_only: AppendOnly::EverySecond, ..Options::new(trouble) };
    trial::run(program(), options).await?.verdict()
}

#[tokio::test]
async fn a_server_that_keeps_nothing_is_noticed() -> anyhow::Result<()> {
    let trouble = Trouble::ServerKilled(TWO);
    noticed(&trial::run(program(), Options::new(trouble)).await?, "lost:");
    Ok(())
}

#[tokio::test]
async fn a_worker_that_takes_nothing_after_an_error_is_noticed() -> anyhow::Result<()> {
    let options =
        Options { plant: Some(Plant::DeafAfterError), ..Options::new(Trouble::Forbidden("evalsha")) };
    noticed(&trial::run(program(), options).await?, "both work again after s:");
    Ok(())
}

#[tokio::test]
async fn a_server_that_sleeps_for_fifteen_seconds_takes_no_task_from_its_worker() -> anyhow::Result<()> {
    bears(Trouble::ServerSleeps(Duration::from_secs(15))).await
}

#[tokio::test]
async fn connections_that_are_reset_cost_nothing() -> anyhow::Result<()> {
    bears(Trouble::Reset).await
}

#[tokio::test]
async fn workers_that_are_cut_off_for_a_while_keep_their_tasks() -> anyhow::Result<()> {
    bears(Trouble::CutOff(Duration::from_secs(5))).await
}

#[tokio::test]
async fn a_worker_that_is_cut_off_for_less_than_two_seconds_keeps_its_tasks() -> anyhow::Result<()> {
    bears(Trouble::OneCutOff(Duration::from_millis(1500))).await
}

#[tokio::test]
async fn slow_connections_take_no_task_from_their_worker() -> anyhow::Result<()> {
    let longer = Duration::from_millis(300);
    bears_each([Trouble::Slow(longer), Trouble::OneSlow(longer)]).await
}

#[tokio::test]
async fn a_server_at_its_memory_limit_refuses_and_loses_nothing() -> anyhow::Result<()> {
    bears(Trouble::OutOfMemory).await
}

#[tokio::test]
async fn keys_of_another_type_are_told_and_lose_nothing() -> anyhow::Result<()> {
    bears_each(["cardoon:delayed", "cardoon:beats"].map(Trouble::WrongType)).await
}

#[tokio::test]
async fn forbidden_commands_are_told_and_lose_nothing() -> anyhow::Result<()> {
    bears_each(["evalsha", "hset", "lpush", "publish", "hdel"].map(Trouble::Forbidden)).await
}

#[tokio::test]
async fn scripts_that_the_server_forgets_are_given_to_it_again() -> anyhow::Result<()> {
    bears(Trouble::ScriptsForgotten).await
}

#[tokio::test]
async fn a_hundred_scheduled_tasks_outlive_thirty_seconds_without_redis() -> anyhow::Result<()> {
    accident::run(program(), Duration::from_secs(30)).await?.verdict()
}

#[tokio::test]
async fn a_task_runs_that_was_sent_to_a_stopped_worker_before_its_death() -> anyhow::Result<()> {
    stopped::run(program(), stopped::Options { rounds: 3, plant: false }).await?.verdict()
}

#[tokio::test]
async fn a_wait_that_takes_the_task_out_of_the_queue_is_noticed() -> anyhow::Result<()> {
    noticed(&stopped::run(program(), stopped::Options { rounds: 1, plant: true }).await?, "lost:");
    Ok(())
}
