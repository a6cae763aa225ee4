use std::path::PathBuf;

use anyhow::Context;
use cardoon::{App, Worker};
use cardoon_drills::Witness;
use cardoon_runtime::Clock;
use serde::{Deserialize, Serialize};

use crate::tasks;

/// What a worker process of ours is told, as JSON on its command line.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OurSpec {
    pub name: String,
    pub url: String,
    pub witness: PathBuf,
    pub slots: u32,
    /// A bug that the fleet has to notice: tasks are acknowledged before they run.
    pub careless: bool,
}

/// Runs a worker in this process, as any program does with the SDK, until SIGTERM tells it to drain.
pub async fn serve(spec: OurSpec) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let app = App::connect(&spec.url).await?;
    let witness = Witness::open(&spec.witness, Clock::real()).context("cannot open the witness's file")?;
    let worker = Worker::builder(&app).name(&spec.name).concurrency(spec.slots).state(witness);
    tasks::register(worker, spec.careless).run().await?;
    Ok(())
}
