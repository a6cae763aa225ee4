//! The memory adapter: results that live as long as their process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::run::{self, Begin, Finish, RunRecord};
use cardoon_core::{Page, Position, Progress, ResultRecord, RunNumber, TaskFilter, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use tokio::sync::watch;

use crate::{BeginRun, Begun, Reported, ResultBackend, Stored};

/// Results in the memory of this process. Handles are clones of one `Arc`.
#[derive(Debug)]
pub struct MemoryResults {
    clock: Clock,
    state: Mutex<State>,
    /// Changes with each stored record and when the store is closed.
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    tasks: HashMap<TaskId, Task>,
    /// Counts stored records, so that lists can be ordered by it.
    stored: i64,
    closed: bool,
}

#[derive(Debug, Default)]
struct Task {
    run: Option<RunRecord>,
    latest: Option<(i64, ResultRecord)>,
    history: Vec<ResultRecord>,
    progress: Option<Reported>,
}

impl MemoryResults {
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default(), changed: watch::channel(()).0 })
    }

    fn state(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(closed()) } else { Ok(state) }
    }

    /// Waits for the final record of `id`.
    async fn ended(&self, id: &TaskId) -> Result<ResultRecord> {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(record) = self.state()?.result_of(id) {
                return Ok(record);
            }
            changed.changed().await.map_err(|_| closed())?;
        }
    }
}

impl State {
    fn begin(&mut self, wanted: BeginRun) -> Begun {
        let task = self.tasks.entry(wanted.id).or_default();
        match run::begin(task.run, wanted.attempt) {
            Begin::Run(record) => {
                task.run = Some(record);
                Begun::Run(record.current)
            }
            Begin::Ended => Begun::Ended,
            Begin::Superseded => Begun::Superseded,
        }
    }

    fn store(&mut self, record: ResultRecord) -> Stored {
        let task = self.tasks.entry(record.id.clone()).or_default();
        let Finish::Accept(run) = run::finish(task.run, record.run, record.end()) else {
            return Stored::Stale;
        };
        self.stored += 1;
        task.run = Some(run);
        task.progress = None;
        task.history.push(record.clone());
        task.latest = Some((self.stored, record));
        Stored::Accepted
    }

    fn result_of(&self, id: &TaskId) -> Option<ResultRecord> {
        let (_, record) = self.tasks.get(id)?.latest.as_ref()?;
        record.state.is_final().then(|| record.clone())
    }

    fn reopen(&mut self, id: &TaskId) -> bool {
        let task = self.tasks.entry(id.clone()).or_default();
        let known = task.run;
        if known.is_some_and(|run| !run.ended) {
            return false;
        }
        task.run = Some(run::reopen(known.unwrap_or_default()));
        task.latest = None;
        known.is_some()
    }

    fn forget(&mut self, id: &TaskId) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        let known = task.latest.is_some() || !task.history.is_empty();
        *task = Task { run: task.run, ..Task::default() };
        known
    }

    fn report(&mut self, id: &TaskId, run: RunNumber, progress: Progress) {
        let task = self.tasks.entry(id.clone()).or_default();
        if run::is_current(task.run, run) {
            task.progress = Some(Reported { run, progress });
        }
    }

    fn list(&self, filter: &TaskFilter, before: i64, limit: usize) -> Page<ResultRecord> {
        let mut found: Vec<_> = self.tasks.values().filter_map(|task| task.latest.as_ref()).collect();
        found.retain(|(order, record)| *order < before && filter.admits(record));
        found.sort_by_key(|(order, _)| std::cmp::Reverse(*order));
        found.truncate(limit.saturating_add(1));
        Page::of(found, limit, |(order, _)| Position::of(*order)).map(|(_, record)| record.clone())
    }
}

#[async_trait]
impl ResultBackend for MemoryResults {
    async fn begin(&self, runs: Vec<BeginRun>) -> Vec<Result<Begun>> {
        runs.into_iter().map(|wanted| Ok(self.state()?.begin(wanted))).collect()
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        let state = self.state()?;
        let record = |id| state.tasks.get(id).and_then(|task| task.run);
        Ok(runs.iter().map(|(id, run)| run::is_current(record(id), *run)).collect())
    }

    async fn store(&self, records: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        let answers = records.into_iter().map(|record| Ok(self.state()?.store(record))).collect();
        self.changed.send_replace(());
        answers
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        let state = self.state()?;
        let latest = |id| state.tasks.get(id)?.latest.as_ref().map(|(_, record)| record.clone());
        Ok(ids.iter().map(latest).collect())
    }

    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>> {
        let Some(limit) = limit else { return self.ended(id).await.map(Some) };
        tokio::select! {
            biased;
            record = self.ended(id) => record.map(Some),
            () = self.clock.sleep(limit) => Ok(None),
        }
    }

    async fn history(&self, id: &TaskId) -> Result<Vec<ResultRecord>> {
        Ok(self.state()?.tasks.get(id).map_or_else(Vec::new, |task| task.history.clone()))
    }

    async fn list(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<ResultRecord>> {
        let before = after.map_or(i64::MAX, |after| after.number);
        Ok(self.state()?.list(filter, before, limit))
    }

    async fn forget(&self, ids: &[TaskId]) -> Result<u64> {
        let mut state = self.state()?;
        Ok(ids.iter().filter(|id| state.forget(id)).count() as u64)
    }

    async fn reopen(&self, ids: &[TaskId]) -> Result<u64> {
        let mut state = self.state()?;
        Ok(ids.iter().filter(|id| state.reopen(id)).count() as u64)
    }

    async fn report(&self, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()> {
        self.state()?.report(id, run, progress);
        Ok(())
    }

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>> {
        Ok(self.state()?.tasks.get(id).and_then(|task| task.progress.clone()))
    }

    async fn close(&self, _limit: Duration) -> Result<()> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.changed.send_replace(());
        Ok(())
    }
}

fn closed() -> Error {
    Error::new(Code::StoreClosed, "the result store in memory was closed")
}
