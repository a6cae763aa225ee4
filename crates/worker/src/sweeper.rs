//! Looks for dead workers and puts back what they held.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Consumer, SweepReport};
use cardoon_core::{Event, EventKind, ResultRecord, TaskId};
use cardoon_errors::{Kind, Result};
use cardoon_results::ResultBackend;
use cardoon_runtime::Clock;

use crate::events::Announcer;
use crate::retrying::{passes, persist};

const EVERY: Duration = Duration::from_millis(250);

pub(crate) struct Sweeper {
    pub consumer: Arc<dyn Consumer>,
    pub results: Arc<dyn ResultBackend>,
    /// The broker has stored the ends that a sweep decides.
    pub joined: bool,
    pub clock: Clock,
    pub announcer: Announcer,
}

impl Sweeper {
    pub(crate) async fn run(self) -> Result<()> {
        loop {
            self.clock.sleep(EVERY).await;
            match self.consumer.sweep().await {
                Ok(report) => self.follow(report).await,
                Err(error) if error.kind() == Kind::Closed => return Err(error),
                Err(error) if passes(&error) => tracing::debug!(%error, "cannot look for dead workers"),
                // Whatever it is: without a rescuer the tasks of dead workers would wait for ever.
                Err(error) => tracing::warn!(%error, "cannot look for dead workers"),
            }
        }
    }

    async fn follow(&self, report: SweepReport) {
        for worker in &report.lost_workers {
            tracing::warn!(worker = worker.as_str(), requeued = report.requeued.len(), "found a lost worker");
        }
        if self.announcer.is_watched() {
            self.announcer.emit(self.events(&report));
        }
        if !self.joined && !report.ended.is_empty() {
            self.store(report.ended).await;
        }
    }

    async fn store(&self, ended: Vec<ResultRecord>) {
        for answer in persist(&self.clock, ended, |batch| self.results.store(batch)).await {
            if let Err(error) = answer {
                tracing::error!(%error, "the end of a lost task cannot be stored");
            }
        }
    }

    fn events(&self, report: &SweepReport) -> Vec<Event> {
        let lost = report.lost_workers.iter().map(|worker| Event {
            worker: worker.as_str().into(),
            ..self.announcer.event(EventKind::WorkerLost)
        });
        let rescued = report.requeued.iter().map(|id| self.about(EventKind::TaskRescued, id));
        let ended = report.ended.iter().map(|record| Event {
            detail: record.failure.as_ref().map(ToString::to_string),
            ..self.about(EventKind::TaskFailed, &record.id)
        });
        lost.chain(rescued).chain(ended).collect()
    }

    fn about(&self, kind: EventKind, id: &TaskId) -> Event {
        Event { id: Some(id.clone()), ..self.announcer.event(kind) }
    }
}
