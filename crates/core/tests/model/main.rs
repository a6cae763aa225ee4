//! The rules of a delivery's life, checked by visiting every state that a small system can reach.
//!
//! `rules` holds the functions under test, `world` the system that applies them, `explorer` the search. Run with
//! `cargo test --release -p cardoon-core --test model -- --nocapture`.

#![expect(clippy::print_stdout, reason = "the numbers of states and the traces are for people")]

mod explorer;
mod rules;
mod world;

use cardoon_core::rescue::{Rescue, UserCode};
use cardoon_core::run::{Begin, RunEnd, RunRecord};
use cardoon_core::settle::{Decision, Fate};

use explorer::{Found, explore};
use rules::{Rules, Start};
use world::{Stores, World};

fn expect_sound(stores: Stores, early: bool) {
    match explore(World::new(stores, early), Rules::of_core()) {
        Found::Sound { states } => {
            println!("{stores:?}, early {early}: {states} states");
            assert!(states > 1000, "the model has lost its events");
        }
        Found::Violation { what, trace } => panic!("{what}\n{}", trace.join("\n")),
    }
}

/// Asserts that the broken `rules` are found, and shows how.
fn expect_violation(stores: Stores, early: bool, rules: Rules, expected: &str) {
    let Found::Violation { what, trace } = explore(World::new(stores, early), rules) else {
        panic!("the planted bug was not found")
    };
    println!("{what}\n  {}", trace.join("\n  "));
    assert!(what.contains(expected), "{what}");
    assert!(!trace.is_empty());
}

#[test]
fn joined_stores_keep_the_invariants() {
    expect_sound(Stores::Joined, false);
}

#[test]
fn separate_stores_keep_the_invariants() {
    expect_sound(Stores::Separate, false);
}

#[test]
fn joined_stores_keep_the_invariants_of_early_acknowledgement() {
    expect_sound(Stores::Joined, true);
}

#[test]
fn separate_stores_keep_the_invariants_of_early_acknowledgement() {
    expect_sound(Stores::Separate, true);
}

#[test]
fn a_finish_without_the_run_check_is_found() {
    let finish = |record: Option<RunRecord>, run, end| {
        let record = record.unwrap_or_default();
        cardoon_core::run::finish(Some(RunRecord { current: run, ended: false, ..record }), run, end)
    };
    let rules = Rules { finish, ..Rules::of_core() };
    expect_violation(Stores::Separate, false, rules, "stale run");
}

#[test]
fn a_settle_without_the_lease_check_is_found() {
    let settle = |held: Option<cardoon_core::settle::Held>, _, verdict: &_, closing, record| {
        let lease = held.map_or(cardoon_core::Lease { session: 0, sequence: 0, tag: 0 }, |held| held.lease);
        cardoon_core::settle::settle(held, lease, verdict, closing, record)
    };
    expect_violation(Stores::Joined, false, Rules { settle, ..Rules::of_core() }, "lease");
}

#[test]
fn a_rescue_that_drops_is_found() {
    let rules = Rules { rescue: |_| None, ..Rules::of_core() };
    expect_violation(Stores::Joined, false, rules, "lost");
}

#[test]
fn a_begin_that_repeats_a_number_is_found() {
    let begin = |record: Option<RunRecord>, attempt| match cardoon_core::run::begin(record, attempt) {
        Begin::Run(next) => Begin::Run(RunRecord { current: record.unwrap_or_default().current, ..next }),
        other => other,
    };
    let rules = Rules { begin, ..Rules::of_core() };
    expect_violation(Stores::Separate, false, rules, "number");
}

#[test]
fn a_rescue_that_runs_an_early_task_again_is_found() {
    let rescue = |lost: cardoon_core::rescue::Lost| Some(Rescue::Requeue { deaths: lost.deaths });
    let rules = Rules { rescue, ..Rules::of_core() };
    expect_violation(Stores::Joined, true, rules, "early");
}

#[test]
fn a_rescue_that_takes_an_ended_early_task_for_a_waiting_one_is_found() {
    let rescue = |lost: cardoon_core::rescue::Lost| {
        let code = if lost.code == UserCode::Ended { UserCode::NotBegun } else { lost.code };
        Some(cardoon_core::rescue::rescue(cardoon_core::rescue::Lost { code, ..lost }))
    };
    expect_violation(Stores::Joined, true, Rules { rescue, ..Rules::of_core() }, "executed again");
}

#[test]
fn a_rescue_that_gives_up_an_early_task_that_has_not_begun_is_found() {
    let rescue = |lost: cardoon_core::rescue::Lost| {
        let code = if lost.early { UserCode::Ended } else { lost.code };
        Some(cardoon_core::rescue::rescue(cardoon_core::rescue::Lost { code, ..lost }))
    };
    expect_violation(Stores::Separate, true, Rules { rescue, ..Rules::of_core() }, "has not begun");
}

#[test]
fn a_worker_that_starts_on_a_lapsed_lease_is_found() {
    let rules = Rules { start: Start::Mark, ..Rules::of_core() };
    expect_violation(Stores::Joined, true, rules, "executed again");
}

#[test]
fn a_worker_that_says_it_begins_after_it_has_looked_is_found() {
    let rules = Rules { start: Start::LookThenMark, ..Rules::of_core() };
    expect_violation(Stores::Joined, true, rules, "executed again");
}

#[test]
fn a_stale_run_that_sends_its_retry_is_found() {
    let rules = Rules { is_current: |_, _| true, ..Rules::of_core() };
    expect_violation(Stores::Separate, false, rules, "sends its retry");
}

#[test]
fn a_retry_that_ends_the_task_is_found() {
    let settle = |held, lease, verdict: &_, closing: Option<cardoon_core::settle::Closing>, record| {
        let closing = closing.map(|closing| cardoon_core::settle::Closing { end: RunEnd::Final, ..closing });
        cardoon_core::settle::settle(held, lease, verdict, closing, record)
    };
    expect_violation(Stores::Joined, false, Rules { settle, ..Rules::of_core() }, "without a final result");
}

#[test]
fn a_stale_run_that_takes_its_delivery_away_is_found() {
    // A run that lost its lease can register after the holder did; then the holder's delivery is all that is left.
    let settle = |held, lease, verdict: &_, closing, record| match cardoon_core::settle::settle(
        held, lease, verdict, closing, record,
    ) {
        Decision::StaleRun { .. } => Decision::StaleRun { fate: Fate::Remove },
        decision => decision,
    };
    expect_violation(Stores::Joined, false, Rules { settle, ..Rules::of_core() }, "lost");
}
