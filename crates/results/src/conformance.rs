//! The conformance suite of the port: what every adapter must do, whatever its technology.
//!
//! An adapter implements [`Harness`] and writes, in a test file:
//!
//! ```text
//! cardoon_results::results_conformance!(MyHarness::fresh());
//! ```
//!
//! The expression is a future of an `Arc<dyn Harness>` on a store of its own; it is awaited once for each case. Cases
//! wait for conditions with a deadline, never for a time.

pub mod reading;
pub mod running;
mod steps;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::ResultBackend;

/// One fresh store, and the ways in which a case may treat it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The first handle on the store.
    fn results(&self) -> Arc<dyn ResultBackend>;

    /// Another handle on the store, as another process would open it.
    async fn second(&self) -> Arc<dyn ResultBackend>;

    /// Closes the store and opens it again. `None` if nothing survives that.
    async fn reopen(&self) -> Option<Arc<dyn ResultBackend>>;

    /// Lets this much time pass on the store's clock: moves it, or waits.
    async fn pass(&self, time: Duration);
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
macro_rules! results_conformance {
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
        $crate::results_conformance! { @$as ($($make)?)
            running::a_first_run_needs_no_registration
            running::a_second_run_takes_over
            running::run_numbers_grow_over_runs_and_attempts
            running::an_ended_task_does_not_begin_again
            running::an_earlier_attempt_is_superseded
            running::an_end_never_changes
            running::each_item_of_a_batch_is_answered
            running::a_run_that_was_taken_over_is_not_current
            running::forgetting_a_result_keeps_its_fence
            running::a_reopened_task_runs_under_a_larger_number
            running::a_reopened_task_that_nobody_knew_is_not_ended_by_its_first_run
            running::fences_survive_reopening
            running::progress_is_taken_from_the_current_run_alone
            running::a_closed_store_says_so
            reading::an_unknown_task_has_no_record
            reading::a_wait_wakes_for_a_result
            reading::a_wait_wakes_for_a_result_of_another_handle
            reading::a_wait_ends_at_its_limit
            reading::a_wait_answers_at_once_when_the_task_has_ended
            reading::a_retry_does_not_end_a_wait
            reading::history_lists_ended_runs_first_to_last
            reading::lists_are_newest_first_and_filtered
            reading::a_list_in_pages_has_each_record_once
            reading::many_records_are_stored_in_one_batch
        }
    };
    ($make:expr) => {
        $crate::results_conformance! { @each tests ($make) }
    };
}

crate::results_conformance! { @each table () }
