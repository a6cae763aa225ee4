//! Real Celery and Cardoon, in every version and both mixtures. `cargo xtask soak` runs the fleets for longer.

use std::path::Path;

use cardoon_interop::{Lab, Side, Version, fleet, scenarios};

use Side::{Ours, Theirs};

/// Cargo builds our worker's program together with these tests, so it cannot be missing or old.
async fn lab(version: Version) -> anyhow::Result<Lab> {
    Lab::open(Path::new(env!("CARGO_BIN_EXE_cardoon-interop")), version).await
}

macro_rules! with_celery {
    ($($module:ident: $version:expr;)*) => {$(
        mod $module {
            use super::*;

            #[tokio::test]
            async fn our_worker_answers_their_producer() -> anyhow::Result<()> {
                scenarios::results(&lab($version).await?, Theirs, Ours).await
            }

            #[tokio::test]
            async fn their_worker_answers_our_producer() -> anyhow::Result<()> {
                scenarios::results(&lab($version).await?, Ours, Theirs).await
            }

            #[tokio::test]
            async fn our_worker_keeps_the_times_of_their_producer() -> anyhow::Result<()> {
                scenarios::times(&lab($version).await?, Theirs, Ours).await
            }

            #[tokio::test]
            async fn their_worker_keeps_the_times_of_our_producer() -> anyhow::Result<()> {
                scenarios::times(&lab($version).await?, Ours, Theirs).await
            }

            #[tokio::test]
            async fn our_worker_keeps_the_priorities_of_their_producer() -> anyhow::Result<()> {
                scenarios::priorities(&lab($version).await?, Theirs, Ours).await
            }

            #[tokio::test]
            async fn their_worker_keeps_the_priorities_of_our_producer() -> anyhow::Result<()> {
                scenarios::priorities(&lab($version).await?, Ours, Theirs).await
            }

            #[tokio::test]
            async fn our_worker_reads_every_form_of_their_bodies() -> anyhow::Result<()> {
                scenarios::serialisers(&lab($version).await?, Ours).await
            }

            #[tokio::test]
            async fn dates_and_decimals_come_back_from_our_worker_as_they_were() -> anyhow::Result<()> {
                if $version.has_types() {
                    scenarios::types(&lab($version).await?, Ours).await?;
                }
                Ok(())
            }

            #[tokio::test]
            async fn killed_workers_of_ours_lose_nothing_beside_theirs() -> anyhow::Result<()> {
                let options = fleet::Options { killed: Ours, kills: 3, seed: 1 };
                let loss = fleet::run(&lab($version).await?, options).await?;
                assert!(loss.lost.is_empty(), "{loss}: {:?}", loss.lost);
                Ok(())
            }
        }
    )*};
}

with_celery! {
    celery_5_2: Version::V5_2;
    celery_5_4: Version::V5_4;
    celery_5_6: Version::V5_6;
    celery_5_7: Version::V5_7;
}

/// Celery alone passes the same scenarios: they ask for nothing that it does not do.
#[tokio::test]
async fn the_scenarios_describe_what_celery_does() -> anyhow::Result<()> {
    let version = Version::V5_7;
    scenarios::results(&lab(version).await?, Theirs, Theirs).await?;
    scenarios::times(&lab(version).await?, Theirs, Theirs).await?;
    scenarios::priorities(&lab(version).await?, Theirs, Theirs).await?;
    scenarios::serialisers(&lab(version).await?, Theirs).await?;
    scenarios::types(&lab(version).await?, Theirs).await
}

#[tokio::test]
async fn workers_that_acknowledge_too_early_are_noticed_by_the_kills() -> anyhow::Result<()> {
    let careless = lab(Version::V5_7).await?.careless();
    let loss = fleet::run(&careless, fleet::Options { killed: Ours, kills: 3, seed: 1 }).await?;
    assert!(!loss.lost.is_empty(), "the planted bug was not noticed: {loss}");
    Ok(())
}

/// No promise of ours: the figure is printed for whoever has to choose.
#[tokio::test]
async fn what_killed_workers_of_celery_lose_is_measured() -> anyhow::Result<()> {
    let options = fleet::Options { killed: Theirs, kills: 2, seed: 1 };
    println!("{}", fleet::run(&lab(Version::V5_7).await?, options).await?);
    Ok(())
}
