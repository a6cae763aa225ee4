//! The conformance suite of the port: what every adapter must do, whatever its technology.
//!
//! An adapter implements [`Harness`] and writes, in a test file:
//!
//! ```text
//! cardoon_coord::coord_conformance!(MyHarness::fresh());
//! ```
//!
//! The expression is a future of an `Arc<dyn Harness>` on a store of its own; it is awaited once for each case.

pub mod entries;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::Coordinator;

/// One fresh store, and the ways in which a case may treat it.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The first handle on the store.
    fn coord(&self) -> Arc<dyn Coordinator>;

    /// Another handle on the store, as another process would open it.
    async fn second(&self) -> Arc<dyn Coordinator>;

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
macro_rules! coord_conformance {
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
        $crate::coord_conformance! { @$as ($($make)?)
            entries::what_was_put_is_read_by_others
            entries::a_set_needs_the_version_that_was_read
            entries::a_set_of_something_new_needs_that_there_is_nothing
            entries::versions_grow_over_deletion
            entries::concurrent_sets_lose_no_update
            entries::an_entry_is_gone_when_its_time_is_over
            entries::a_later_write_decides_how_long_an_entry_is_kept
            entries::values_are_bytes
            entries::what_no_store_takes_is_refused
        }
    };
    ($make:expr) => {
        $crate::coord_conformance! { @each tests ($make) }
    };
}

crate::coord_conformance! { @each table () }
