use anyhow::Context;
use cardoon::{App, Stores, Worker, WorkerBuilder};
use cardoon_drills::Witness;
use cardoon_runtime::Clock;

use crate::rig::{self, Tripwire};
use crate::{WorkerSpec, tasks};

/// Runs a drill's worker in this process, as any program does with the SDK, until SIGTERM tells it to drain.
pub async fn serve(spec: WorkerSpec) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let stores = cardoon_connect::connect(&spec.url, None, &Clock::real()).await?;
    let wire = Tripwire::new(spec.trap);
    let (broker, results) = rig::rig(stores.broker, stores.results, &wire, spec.plant);
    let app = App::builder().with_stores(Stores { broker, results, ..stores });
    let witness = Witness::open(&spec.witness, Clock::real()).context("cannot open the witness's file")?;
    let worker = Worker::builder(&app).name(&spec.name).concurrency(spec.slots).terms(spec.terms());
    let worker = worker.state(witness).state(wire);
    tasks::all(spec.knows_new).into_iter().fold(worker, WorkerBuilder::definition).run().await?;
    Ok(())
}
