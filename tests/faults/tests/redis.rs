//! What only a server does. `cargo xtask soak` runs the same for longer.

use std::path::Path;
use std::time::Duration;

use cardoon_faults::drills::redis::trial::{self, Options};
use cardoon_faults::drills::redis::{self, Trouble, accident, envelopes, ghost, sentinel, stopped};
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
async fn a_killed_server_loses_nothing_that_it_had_to_sync_by_then() -> anyhow::Result<()> {
    let killed = Options::new(Trouble::ServerKilled(TWO));
    let kept = [AppendOnly::Always, AppendOnly::EverySecond];
    let trials = kept.map(|append_only| trial::run(program(), Options { append_only, ..killed }));
    try_join_all(trials).await?.iter().try_for_each(Outcome::verdict)
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
async fn connections_that_are_reset_or_away_for_a_while_cost_nothing() -> anyhow::Result<()> {
    bears_each([Trouble::Reset, Trouble::CutOff(Duration::from_secs(5))]).await
}

#[tokio::test]
async fn a_worker_that_is_cut_off_for_less_than_two_seconds_keeps_its_tasks() -> anyhow::Result<()> {
    bears(Trouble::OneCutOff(Duration::from_millis(1500))).await
}

#[tokio::test]
async fn connections_that_lead_nowhere_are_given_up() -> anyhow::Result<()> {
    bears(Trouble::HalfOpen(Duration::from_secs(8))).await
}

#[tokio::test]
async fn workers_follow_their_server_after_a_failover() -> anyhow::Result<()> {
    bears(Trouble::Failover).await
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
    bears_each([redis::LIST, "cardoon:delayed", "cardoon:beats"].map(Trouble::WrongType)).await
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
    accident::run(program(), Duration::from_secs(30), None).await?.verdict()
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

#[tokio::test]
async fn workers_that_take_nothing_after_the_cut_are_noticed_by_the_scheduled_tasks() -> anyhow::Result<()> {
    let plant = Some(Plant::DeafAfterError);
    noticed(&accident::run(program(), Duration::from_secs(8), plant).await?, "lost:");
    Ok(())
}

#[tokio::test]
async fn a_rescuer_that_robs_the_living_is_noticed_by_the_troubles() -> anyhow::Result<()> {
    noticed(&trial::run(program(), Options::new(Trouble::Robbery)).await?, "second runs:");
    Ok(())
}

#[tokio::test]
async fn workers_follow_the_primary_that_a_sentinel_chooses() -> anyhow::Result<()> {
    sentinel::run(program(), false).await?.verdict()
}

#[tokio::test]
async fn workers_that_stay_with_a_dead_primary_are_noticed() -> anyhow::Result<()> {
    noticed(&sentinel::run(program(), true).await?, "both work again after s:");
    Ok(())
}

#[tokio::test]
async fn what_is_no_message_stops_no_worker_and_is_kept_byte_for_byte() -> anyhow::Result<()> {
    envelopes::run(program(), None).await?.verdict()
}

#[tokio::test]
async fn a_worker_that_drops_what_it_cannot_read_is_noticed() -> anyhow::Result<()> {
    noticed(&envelopes::run(program(), Some(Plant::AckOnClaim)).await?, "in the dead letters:");
    Ok(())
}

#[tokio::test]
async fn the_death_of_a_worker_whose_old_connections_led_nowhere_is_seen_in_time() -> anyhow::Result<()> {
    ghost::run(program(), false).await?.verdict()
}

#[tokio::test]
async fn a_sign_of_life_that_somebody_else_gives_is_noticed() -> anyhow::Result<()> {
    noticed(&ghost::run(program(), true).await?, "second run after s:");
    Ok(())
}
