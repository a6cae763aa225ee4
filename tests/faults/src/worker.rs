use anyhow::Context;
use cardoon_drills::Witness;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use cardoon_worker::{WorkerBuilder, WorkerHandle};
use tokio::signal::unix::{SignalKind, signal};

use crate::rig::{self, Tripwire};
use crate::{WorkerSpec, tasks};

/// Runs a drill's worker in this process until it is told to drain with SIGTERM.
pub async fn serve(spec: WorkerSpec) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let clock = Clock::real();
    let stores =
        cardoon_connect::connect(&format!("sqlite:{}", spec.database.display()), None, &clock).await?;
    let wire = Tripwire::new(spec.trap);
    let (broker, results) = rig::rig(stores.broker, stores.results, &wire, spec.plant);
    let worker = WorkerBuilder::new(broker, results, stores.joined)
        .name(&spec.name)
        .concurrency(spec.slots)
        .terms(spec.terms())
        .tasks(tasks::all(spec.knows_new))
        .state(Witness::open(&spec.witness, clock).context("cannot open the witness's file")?)
        .state(wire)
        .build()?;
    drain_on_sigterm(worker.handle())?;
    worker.run().await?;
    Ok(())
}

fn drain_on_sigterm(worker: WorkerHandle) -> anyhow::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    Supervisor::new().spawn(ServiceKind::Connection, async move {
        terminated.recv().await;
        worker.drain();
        Ok(())
    });
    Ok(())
}
