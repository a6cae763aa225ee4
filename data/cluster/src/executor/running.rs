use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use ballista_executor::execution_engine::QueryStageExecutor;
use tokio::time::{MissedTickBehavior, interval};

use crate::access::Access;
use crate::address::Address;
use crate::client;
use crate::limits;
use crate::state::{StageState, TaskState};

/// The tasks that an executor carries out now.
#[derive(Debug, Clone)]
pub(super) struct Running {
    tasks: Arc<Mutex<Vec<Task>>>,
    scheduler: Address,
    access: Access,
}

#[derive(Debug)]
struct Task {
    job: String,
    stage: usize,
    /// Its number in the stage.
    place: usize,
    /// Gone when the task has ended.
    work: Weak<dyn QueryStageExecutor>,
}

impl Running {
    pub(super) fn new(scheduler: Address, access: Access) -> Self {
        Self { tasks: Arc::default(), scheduler, access }
    }

    pub(super) fn add(&self, job: &str, stage: usize, task: usize, work: &Arc<dyn QueryStageExecutor>) {
        let task = Task { job: job.to_owned(), stage, place: task, work: Arc::downgrade(work) };
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }

    /// How far each of them is.
    fn now(&self) -> Vec<TaskState> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, told) = tasks
            .drain(..)
            .filter_map(|task| {
                let work = task.work.upgrade()?;
                let StageState { rows, counts, .. } = StageState::counted(&work.collect_plan_metrics());
                let told =
                    TaskState { job: task.job.clone(), stage: task.stage, task: task.place, rows, counts };
                Some((task, told))
            })
            .unzip();
        *tasks = left;
        told
    }

    /// Tells the scheduler, for ever. One that has nothing to do tells so once.
    pub(super) async fn tell(&self, executor: &str) -> Infallible {
        let mut rounds = interval(limits::TELL);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_idle = true;
        loop {
            rounds.tick().await;
            let now = self.now();
            let is_idle = now.is_empty();
            if !(is_idle && was_idle) {
                // Who is not heard now is heard in the next round.
                let _ = client::tell(&self.scheduler, &self.access, executor, &now).await;
            }
            was_idle = is_idle;
        }
    }
}
