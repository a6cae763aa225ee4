use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::physical_plan::ExecutionPlan;

use super::counts::{Counts, given};
use super::files::Files;
use super::step::step;
use super::told::{Progress, Stage};
use crate::direct::is_first_half;

/// Watches one query.
#[derive(Default)]
pub struct Watch {
    restarts: AtomicU64,
    retries: AtomicU64,
    running: Mutex<Running>,
}

/// Where the query runs.
#[derive(Default)]
enum Running {
    /// It is being planned.
    #[default]
    Nowhere,
    Here(Arc<dyn ExecutionPlan>, Files),
    /// On a cluster, which has told this.
    There(Progress),
}

impl Watch {
    /// What a cluster knows of the query. Restarts and retries are counted here.
    pub fn tell(&self, progress: Progress) {
        *self.running() = Running::There(progress);
    }

    pub(crate) fn follow(&self, plan: Arc<dyn ExecutionPlan>) {
        let files = Files::of(&plan);
        *self.running() = Running::Here(plan, files);
    }

    /// The query begins again; answers how often it has, for whatever reason.
    pub(crate) fn restart(&self) -> u64 {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.again()
    }

    /// The same, because executors were lost.
    pub(crate) fn retry(&self) -> u64 {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.again()
    }

    fn again(&self) -> u64 {
        *self.running() = Running::Nowhere;
        let (restarts, retries) = self.times();
        restarts + retries
    }

    fn times(&self) -> (u64, u64) {
        (self.restarts.load(Ordering::Relaxed), self.retries.load(Ordering::Relaxed))
    }

    pub(crate) fn progress(&self) -> Progress {
        let progress = match &*self.running() {
            Running::Nowhere => Progress::default(),
            Running::Here(plan, files) => here(plan, files),
            Running::There(progress) => progress.clone(),
        };
        let (restarts, retries) = self.times();
        Progress { restarts, retries, ..progress }
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn here(plan: &Arc<dyn ExecutionPlan>, files: &Files) -> Progress {
    let (mut counts, mut stages) = (Counts::default(), Vec::new());
    look(plan, &mut counts, &mut stages);
    Progress {
        rows: counts.rows,
        bytes: files.done(&counts),
        all_bytes: files.all(),
        bad_rows: counts.bad_rows,
        spilled_bytes: counts.spilled_bytes,
        stages,
        ..Progress::default()
    }
}

/// Adds what a step and all steps below it have counted, and the stages that they are, those below first.
fn look(plan: &Arc<dyn ExecutionPlan>, counts: &mut Counts, stages: &mut Vec<Stage>) {
    plan.children().into_iter().for_each(|input| look(input, counts, stages));
    let metrics = plan.metrics().unwrap_or_default();
    let own = Counts::of(&metrics);
    *counts += own;
    // The rows of a first half are nobody's.
    if let Some(name) = step(plan.name()).filter(|_| !is_first_half(plan.as_ref())) {
        let rows = if name == "read" { own.rows } else { given(&metrics) };
        stages.push(Stage { name: name.to_owned(), rows, ..Stage::default() });
    }
}
