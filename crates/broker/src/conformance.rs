//! The conformance suite of the port: what every adapter must do, whatever its technology.
//!
//! An adapter implements [`Harness`] and writes, in a test file:
//!
//! ```text
//! cardoon_broker::broker_conformance!(MyHarness::fresh());
//! ```
//!
//! The expression is a future of an `Arc<dyn Harness>` on a store of its own; it is awaited once for each case. Cases
//! wait for conditions with a deadline, never for a time.

pub mod claims;
pub mod control;
pub mod dead_letters;
pub mod inspection;
pub mod lives;
pub mod publishing;
pub mod revoking;
pub mod settling;
mod steps;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{ResultRecord, RunNumber, TaskId};
use cardoon_runtime::Clock;

use crate::{Broker, Consumer};

/// One fresh store, and the ways in which a case may treat it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The first handle on the store; the same at each call until [`Self::reopen`].
    fn broker(&self) -> Arc<dyn Broker>;

    /// Another handle on the store, as another process would open it.
    async fn second(&self) -> Arc<dyn Broker>;

    /// Closes the store and opens it again. `None` if nothing survives that.
    async fn reopen(&self) -> Option<Arc<dyn Broker>>;

    /// Ends the consumer as `kill -9` ends its process: without a goodbye.
    async fn kill(&self, consumer: Arc<dyn Consumer>);

    /// The clock that the store was opened with.
    fn clock(&self) -> Clock;

    /// Lets this much time pass on that clock: moves it, or waits.
    async fn pass(&self, time: Duration);

    /// The terms on which the cases' consumers join. Short ones, if [`Self::pass`] really waits.
    fn terms(&self) -> LeaseTerms {
        LeaseTerms::default()
    }

    /// The results on the same store, if a settle is joined with them.
    fn joined(&self) -> Option<&dyn Joined> {
        None
    }
}

/// The results that are kept on the broker's store.
#[async_trait]
pub trait Joined: Send + Sync {
    /// The latest record of the task.
    async fn record(&self, id: &TaskId) -> Option<ResultRecord>;

    /// Registers a run; `None` if it may not begin.
    async fn begin(&self, id: &TaskId, attempt: u32) -> Option<RunNumber>;
}

/// A case under way; it panics if the adapter fails it.
pub type CaseRun = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A case, for those who run the suite as a whole.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: fn(Arc<dyn Harness>) -> CaseRun,
}

/// Writes a `#[tokio::test]` for each case of the suite. See [`conformance`](crate::conformance).
#[macro_export]
macro_rules! broker_conformance {
    (@tests ($make:expr) $($group:ident :: $case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::$group::$case($make.await).await;
            }
        )*
    };
    (@table () $($group:ident :: $case:ident)*) => {
        /// All cases of the suite.
        pub const CASES: &[Case] =
            &[$(Case { name: stringify!($case), run: |harness| Box::pin($group::$case(harness)) },)*];
    };
    (@each $as:ident ($($make:expr)?)) => {
        $crate::broker_conformance! { @$as ($($make)?)
            publishing::each_item_of_a_batch_is_answered
            publishing::a_repeated_message_is_stored_once
            publishing::a_later_attempt_is_a_message_of_its_own
            publishing::messages_of_one_priority_leave_in_the_order_they_came
            publishing::urgent_messages_leave_first
            publishing::a_delayed_message_waits_until_it_is_due
            publishing::a_due_message_joins_the_back_of_its_priority
            publishing::what_was_acknowledged_survives_reopening
            publishing::a_batch_of_ten_thousand_is_stored_and_taken
            publishing::a_message_that_expired_is_handed_out_all_the_same
            publishing::a_closed_store_says_so
            claims::a_waiting_claim_wakes_for_a_message
            claims::a_waiting_claim_wakes_for_a_message_of_another_handle
            claims::a_waiting_claim_wakes_when_a_message_becomes_due
            claims::a_dropped_claim_loses_nothing
            claims::queues_are_taken_from_in_turn
            claims::a_message_is_handed_to_one_consumer
            claims::a_message_sent_again_has_to_register
            claims::a_delayed_message_can_be_taken_before_its_time
            claims::what_is_left_to_others_waits_for_them
            settling::an_acknowledged_message_is_gone
            settling::an_old_lease_settles_nothing
            settling::a_lease_settles_once
            settling::a_follow_up_is_stored_with_the_verdict
            settling::record_and_follow_ups_are_stored_in_one_step
            settling::a_stale_run_stores_nothing_and_its_delivery_gives_way
            settling::a_deferred_message_comes_back_when_it_is_due
            settling::an_unstarted_release_goes_to_the_head_uncounted
            settling::an_interrupted_release_is_redelivered
            settling::a_child_that_dies_three_times_buries_its_task
            settling::a_task_acknowledged_early_stays_with_its_holder
            lives::closing_hands_back_the_unstarted_uncounted
            lives::closing_hands_back_the_started_as_redelivered
            lives::closing_hands_back_what_has_ended_as_redelivered
            lives::closing_hands_back_an_early_task_that_had_not_begun
            lives::a_death_at_any_step_loses_nothing
            lives::only_started_tasks_are_blamed
            lives::a_task_whose_code_has_ended_is_not_blamed
            lives::three_deaths_bury_a_task
            lives::an_early_task_of_a_dead_worker_ends_with_an_unknown_outcome
            lives::an_early_task_that_had_not_begun_is_rescued
            lives::an_early_task_of_a_silent_consumer_is_rescued_if_it_had_not_begun
            lives::a_silent_consumer_is_rescued_when_its_lease_has_lapsed
            lives::a_living_consumer_is_never_rescued
            lives::a_rescuer_that_was_away_watches_anew
            lives::a_step_of_the_wall_clock_rescues_nobody
            revoking::a_waiting_task_is_not_executed
            revoking::a_delayed_task_is_not_executed
            revoking::the_holder_of_a_task_is_told
            revoking::a_revoke_is_remembered
            revoking::waiting_for_revokes_ends_with_the_consumer
            dead_letters::a_dead_letter_keeps_its_bytes_and_its_reason
            dead_letters::filters_choose_dead_letters
            dead_letters::a_redriven_task_runs_again_and_registers
            dead_letters::a_redriven_task_gets_a_larger_run_number
            dead_letters::purged_dead_letters_are_gone
            dead_letters::letters_of_another_store_are_buried_once
            control::nothing_is_taken_from_a_paused_queue
            control::a_pause_is_seen_by_all_and_survives_reopening
            control::a_waiting_claim_wakes_when_its_queue_is_resumed
            control::what_is_held_when_its_queue_is_paused_ends_as_usual
            control::an_order_reaches_its_worker_alone
            control::waiting_for_orders_ends_with_the_consumer
            inspection::queues_are_shown_in_numbers
            inspection::a_message_is_located_in_each_place
            inspection::peeking_takes_nothing
            inspection::what_waits_is_listed_in_pages_and_filtered
            inspection::purging_leaves_what_is_held
            inspection::consumers_are_members_while_they_live
            inspection::listeners_get_events_in_order
            inspection::a_stream_of_events_ends_with_its_broker
        }
    };
    ($make:expr) => {
        $crate::broker_conformance! { @each tests ($make) }
    };
}

crate::broker_conformance! { @each table () }
