//! Progress of running tasks: the last one wins, at most 10 times a second.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_core::{Event, EventKind, Progress, QueueName, RunNumber, TaskId};
use cardoon_errors::Result;
use cardoon_results::ResultBackend;
use cardoon_runtime::{Clock, Doorbell};

use crate::context::ProgressSink;
use crate::events::Announcer;

/// The time between two reports of one run.
const EVERY: Duration = Duration::from_millis(100);

/// Where running tasks leave their progress. All clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    latest: Mutex<HashMap<Runner, Progress>>,
    bell: Doorbell,
}

/// Whose progress it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Runner {
    pub id: TaskId,
    pub run: RunNumber,
    pub task: Arc<str>,
    pub queue: QueueName,
    pub attempt: u32,
}

impl Board {
    /// What the context of this run calls.
    pub(crate) fn sink(&self, runner: Runner) -> ProgressSink {
        let board = self.clone();
        Arc::new(move |progress| board.post(runner.clone(), progress))
    }

    pub(crate) fn post(&self, runner: Runner, progress: Progress) {
        self.0.latest.lock().unwrap_or_else(PoisonError::into_inner).insert(runner, progress);
        self.0.bell.ring();
    }

    /// Waits for progress and takes it; the pause before makes bursts one.
    pub(crate) async fn next(&self, clock: &Clock) -> HashMap<Runner, Progress> {
        loop {
            let latest = std::mem::take(&mut *self.0.latest.lock().unwrap_or_else(PoisonError::into_inner));
            if !latest.is_empty() {
                return latest;
            }
            self.0.bell.wait(clock, None).await;
        }
    }

    pub(crate) async fn pause(&self, clock: &Clock) {
        clock.sleep(EVERY).await;
    }
}

/// Stores and tells what the board shows.
pub(crate) async fn publish(
    board: Board,
    results: Arc<dyn ResultBackend>,
    announcer: Announcer,
    clock: Clock,
) -> Result<()> {
    loop {
        for (runner, progress) in board.next(&clock).await {
            if announcer.is_watched() {
                announcer.emit(vec![event(&announcer, &runner, &progress)]);
            }
            if let Err(error) = results.report(&runner.id, runner.run, progress).await {
                tracing::debug!(%error, task.id = %runner.id, "progress was lost");
            }
        }
        board.pause(&clock).await;
    }
}

fn event(announcer: &Announcer, runner: &Runner, progress: &Progress) -> Event {
    let total = progress.total.map_or_else(String::new, |total| format!("/{total}"));
    let detail = format!("{}{total} {}", progress.done, progress.message).trim_end().to_owned();
    Event {
        id: Some(runner.id.clone()),
        task: Some(Arc::clone(&runner.task)),
        queue: Some(runner.queue.clone()),
        attempt: Some(runner.attempt),
        detail: Some(detail),
        ..announcer.event(EventKind::TaskProgress)
    }
}
