//! Workers of Cardoon and of Celery on one queue.

use std::path::Path;

use cardoon_interop::Side::{Ours, Theirs};
use cardoon_interop::{Lab, Version, beside};

/// Cargo builds our worker's program together with these tests, so it cannot be missing or old.
async fn lab(version: Version) -> anyhow::Result<Lab> {
    Lab::open(Path::new(env!("CARGO_BIN_EXE_cardoon-interop")), version).await
}

macro_rules! with_celery {
    ($($module:ident: $version:expr;)*) => {$(
        mod $module {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn all_tasks_run_though_each_worker_knows_only_half_of_them() -> anyhow::Result<()> {
                beside::half_each(&lab($version).await?).await
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn our_worker_takes_tasks_without_a_priority_as_they_came() -> anyhow::Result<()> {
                beside::one_line(&lab($version).await?, Ours).await
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn their_worker_takes_tasks_without_a_priority_as_they_came() -> anyhow::Result<()> {
                beside::one_line(&lab($version).await?, Theirs).await
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn what_is_handed_back_runs_on_their_worker_at_its_time() -> anyhow::Result<()> {
                beside::handed_back(&lab($version).await?).await
            }
        }
    )*};
}

with_celery! {
    celery_5_2: Version::V5_2;
    celery_5_7: Version::V5_7;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_task_goes_to_where_somebody_waits_for_it() -> anyhow::Result<()> {
    beside::delayed_beside(&lab(Version::V5_7).await?).await
}

/// What the documents warn of.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_of_celery_drops_what_it_does_not_know() -> anyhow::Result<()> {
    beside::their_worker_drops_the_unknown(&lab(Version::V5_7).await?).await
}
