//! Real Celery and Cardoon, in every version and both mixtures.

use std::path::Path;

use cardoon_interop::Side::Theirs;
use cardoon_interop::{Lab, Version, scenarios};

/// Cargo builds our worker's program together with these tests, so it cannot be missing or old.
async fn lab(version: Version) -> anyhow::Result<Lab> {
    Lab::open(Path::new(env!("CARGO_BIN_EXE_cardoon-interop")), version).await
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
