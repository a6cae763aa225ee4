use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use cardoon_broker::Place;
use cardoon_core::{BootInstant, ResultRecord, TaskFilter, TaskId, TaskState};
use cardoon_errors::{Code, Error, Result};

use super::{Site, Work};
use crate::{Testimony, WorkerProcess};

/// Tasks that are looked at in one page.
const PAGE: usize = 512;

/// How it is known what became of tasks: a witness that the tasks themselves tell, or, for tasks of the user, the records
/// of the store.
pub(super) struct Evidence<'a> {
    site: &'a Site,
    source: Source,
}

enum Source {
    Witness(PathBuf),
    Records,
}

/// What became of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) executed: u64,
    pub(super) lost: u64,
    pub(super) failed: u64,
    pub(super) second_runs: u64,
    pub(super) duplicates: u64,
}

impl<'a> Evidence<'a> {
    /// Of the tasks of workers that testify in `witness`.
    pub(super) fn of(site: &'a Site, work: &Work, witness: &std::path::Path) -> Self {
        let source = match work {
            Work::BuiltIn => Source::Witness(witness.to_owned()),
            Work::Own(_) => Source::Records,
        };
        Self { site, source }
    }

    pub(super) fn site(&self) -> &'a Site {
        self.site
    }

    /// When nothing has ended for this long although messages are left, what has not ended is not going to. It is longer
    /// than a lease, and tasks of the user take as long as they take.
    pub(super) fn silence(&self) -> Duration {
        match &self.source {
            Source::Witness(_) => Duration::from_secs(30),
            Source::Records => Duration::from_mins(30),
        }
    }

    /// How many of the tasks have ended.
    pub(super) async fn ended(&self, ids: &[TaskId]) -> Result<usize> {
        match &self.source {
            Source::Witness(path) => Ok(ids.len() - read(path)?.count(ids).lost.len()),
            Source::Records => {
                Ok(self.records(ids).await?.iter().flatten().filter(|it| it.state.is_final()).count())
            }
        }
    }

    /// The tasks that `worker` executes now.
    pub(super) async fn running_on(&self, worker: &WorkerProcess) -> Result<HashSet<TaskId>> {
        match &self.source {
            Source::Witness(path) => Ok(read(path)?.unfinished_of(worker.pid())),
            Source::Records => Ok(self.started(|name| name == worker.name()).await?.into_iter().collect()),
        }
    }

    /// Those of `tasks` that somebody else than `worker` has begun since, and when.
    pub(super) async fn begun_elsewhere(
        &self,
        tasks: &HashSet<TaskId>,
        worker: &WorkerProcess,
        since: BootInstant,
    ) -> Result<HashMap<TaskId, BootInstant>> {
        match &self.source {
            Source::Witness(path) => {
                let testimony = read(path)?;
                let first = |id: &TaskId| {
                    let one = HashSet::from([id.clone()]);
                    testimony.next_start(&one, worker.pid(), since).map(|at| (id.clone(), at))
                };
                Ok(tasks.iter().filter_map(first).collect())
            }
            Source::Records => self.seen_elsewhere(tasks, worker).await,
        }
    }

    /// What became of the tasks, when all is over.
    pub(super) async fn tally(&self, ids: &[TaskId]) -> Result<Tally> {
        match &self.source {
            Source::Witness(path) => {
                let count = of_these(read(path)?, ids).count(ids);
                let lost = count.lost.len() as u64;
                let (executed, second_runs) = (count.expected - lost, count.second_runs);
                Ok(Tally { executed, lost, failed: 0, second_runs, duplicates: count.duplicates })
            }
            Source::Records => tally(&self.records(ids).await?),
        }
    }

    /// From the first start to the last end.
    pub(super) fn span(&self) -> Result<Option<(BootInstant, BootInstant)>> {
        let Source::Witness(path) = &self.source else { return Ok(None) };
        let testimony = read(path)?;
        let first = testimony.starts().map(|entry| entry.at).min();
        let last = testimony.ends().map(|entry| entry.at).max();
        Ok(first.zip(last))
    }

    /// A store tells of tasks that begin, but not when: it is now at the latest.
    async fn seen_elsewhere(
        &self,
        tasks: &HashSet<TaskId>,
        worker: &WorkerProcess,
    ) -> Result<HashMap<TaskId, BootInstant>> {
        let begun = self.started(|name| name != worker.name()).await?;
        let now = self.site.clock.boot();
        let ids: Vec<_> = tasks.iter().cloned().collect();
        let records = self.records(&ids).await?;
        let ended = records.into_iter().flatten().filter(|it| *it.worker != *worker.name()).map(|it| it.id);
        Ok(begun.into_iter().chain(ended).filter(|id| tasks.contains(id)).map(|id| (id, now)).collect())
    }

    /// Tasks that a worker of such a name executes now.
    async fn started(&self, by: impl Fn(&str) -> bool) -> Result<Vec<TaskId>> {
        let filter = TaskFilter { queue: Some(self.site.queue.clone()), ..TaskFilter::default() };
        let inspect = self.site.stores().broker.inspect();
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = inspect.waiting(&filter, after.as_ref(), PAGE).await?;
            let runs = page
                .items
                .into_iter()
                .filter(|(_, place)| matches!(place, Place::Held { worker, started: true } if by(worker)));
            found.extend(runs.map(|(waiting, _)| waiting.message.id));
            after = page.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    async fn records(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        self.site.stores().results.get(ids).await
    }
}

/// What a witness that was told of others too says of these.
fn of_these(testimony: Testimony, ids: &[TaskId]) -> Testimony {
    let ids: HashSet<_> = ids.iter().collect();
    let entries = testimony.entries.into_iter().filter(|entry| ids.contains(&entry.id)).collect();
    Testimony { entries }
}

fn tally(records: &[Option<ResultRecord>]) -> Result<Tally> {
    let ended: Vec<_> = records.iter().flatten().filter(|record| record.state.is_final()).collect();
    if ended.is_empty() && !records.is_empty() {
        return Err(Error::new(Code::DrillFailed, "no task has left a result, so nothing can be counted")
            .checked("either none was executed, or the task ignores its result")
            .hint("choose a task that keeps its result"));
    }
    let failed = ended.iter().filter(|record| record.state != TaskState::Success);
    if failed.clone().count() == records.len()
        && let Some(failure) = failed.clone().find_map(|record| record.failure.as_ref())
    {
        return Err(Error::new(Code::DrillFailed, "all tasks failed, so nothing can be measured")
            .checked(format!("the first failure: {}: {}", failure.kind, failure.message))
            .hint("check the task's name and its arguments"));
    }
    // Each retry has a number of its own, which is no second run.
    let second = |record: &&ResultRecord| record.run.0.saturating_sub(1 + u64::from(record.attempt));
    Ok(Tally {
        executed: ended.len() as u64,
        lost: (records.len() - ended.len()) as u64,
        failed: failed.count() as u64,
        second_runs: ended.iter().map(second).sum(),
        // The store keeps one end of each task, so it cannot tell whether the first run came to its end too.
        duplicates: 0,
    })
}

fn read(path: &std::path::Path) -> Result<Testimony> {
    Testimony::read(path)
        .map_err(|error| Error::new(Code::DrillFailed, "cannot read the witness's file").source(error))
}
