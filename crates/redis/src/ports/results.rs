use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_core::run::is_current;
use cardoon_core::{Page, Position, Progress, ResultRecord, RunNumber, TaskFilter, TaskId};
use cardoon_errors::Result;
use cardoon_protocol::celery_result;
use cardoon_results::{BeginRun, Begun, Reported, ResultBackend, Stored};

use crate::keys;
use crate::link::{bytes, items};
use crate::operations::{known, runs, search};
use crate::store::RedisStore;

/// Results that are read in one command at most.
const PAGE: usize = 512;

#[async_trait]
impl ResultBackend for RedisStore {
    async fn begin(&self, batch: Vec<BeginRun>) -> Vec<Result<Begun>> {
        if let Err(error) = self.shared.check() {
            return batch.iter().map(|_| Err(error.clone())).collect();
        }
        runs::register(&self.shared, batch).await
    }

    async fn is_current(&self, runs: &[(TaskId, RunNumber)]) -> Result<Vec<bool>> {
        self.shared.check()?;
        let known = known::look(&self.shared.main, runs.iter().map(|(id, _)| id)).await?;
        Ok(known.iter().zip(runs).map(|(known, (_, run))| is_current(known.record(), *run)).collect())
    }

    async fn store(&self, batch: Vec<ResultRecord>) -> Vec<Result<Stored>> {
        if let Err(error) = self.shared.check() {
            return batch.iter().map(|_| Err(error.clone())).collect();
        }
        runs::store(&self.shared, batch).await
    }

    async fn get(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        self.shared.check()?;
        let names: Vec<String> = ids.iter().map(keys::result).collect();
        let found = self.read(&names).await?.into_iter();
        found.zip(ids).map(|(json, id)| json.map_or(Ok(None), |json| record(id, &json))).collect()
    }

    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>> {
        self.shared.check()?;
        let shared = &self.shared;
        if limit == Some(Duration::ZERO) {
            let found = ResultBackend::get(self, std::slice::from_ref(id)).await?.pop().flatten();
            return Ok(found.filter(|record| record.state.is_final()));
        }
        let mut waiter = shared.follower.join(shared, id);
        let over = async {
            match limit {
                Some(limit) => shared.wire.clock.sleep(limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            record = &mut waiter.ended => match record {
                Ok(record) => record.map(Some),
                Err(_) => shared.check().map(|()| None),
            },
            () = over => Ok(None),
            () = shared.closing().cancelled() => shared.check().map(|()| None),
        }
    }

    async fn history(&self, id: &TaskId) -> Result<Vec<ResultRecord>> {
        self.shared.check()?;
        let mut command = redis::cmd("LRANGE");
        command.arg(keys::history(id)).arg(0).arg(-1);
        let lines = items(self.shared.main.ask(&command).await?, "LRANGE")?;
        let kept: Vec<ResultRecord> =
            lines.into_iter().filter_map(bytes).filter_map(|json| readable(&json)).collect();
        if kept.is_empty() {
            // Without a history the last run is all that is known.
            return Ok(self.get(std::slice::from_ref(id)).await?.into_iter().flatten().collect());
        }
        Ok(kept)
    }

    async fn list(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<ResultRecord>> {
        self.shared.check()?;
        let names = search::scan(&self.shared.main, &format!("{}*", keys::RESULTS)).await?;
        let stored = self.read(&names).await?.into_iter().flatten();
        let mut found: Vec<(Position, ResultRecord)> =
            stored.filter_map(|json| readable(&json)).map(|record| (position(&record), record)).collect();
        found.retain(|(at, record)| after.is_none_or(|after| at < after) && filter.admits(record));
        found.sort_by(|(one, _), (other, _)| other.cmp(one));
        Ok(Page::of(found, limit, |(at, _)| at.clone()).map(|(_, record)| record))
    }

    async fn forget(&self, ids: &[TaskId]) -> Result<u64> {
        self.shared.check()?;
        runs::forget(&self.shared, ids).await
    }

    async fn reopen(&self, ids: &[TaskId]) -> Result<u64> {
        self.shared.check()?;
        let answers = runs::let_run_again(&self.shared, ids).await;
        answers.into_iter().try_fold(0, |count, answer| answer.map(|yes| count + u64::from(yes)))
    }

    async fn report(&self, id: &TaskId, run: RunNumber, progress: Progress) -> Result<()> {
        self.shared.check()?;
        runs::report(&self.shared, id, run, progress).await
    }

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>> {
        self.shared.check()?;
        let mut names = self.read(&[keys::progress(id), keys::result(id)]).await?.into_iter();
        let (own, shown) = (names.next().flatten(), names.next().flatten());
        match own.and_then(|json| runs::read_report(&json)) {
            Some(reported) => Ok(self.is_current(id, reported.run).await?.then_some(reported)),
            // What a worker of Celery says stands where the result will be.
            None => Ok(shown
                .and_then(|json| celery_result::read_state(&json))
                .map(|progress| Reported { run: RunNumber::FIRST, progress })),
        }
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.shut(limit).await
    }
}

/// What stands there as the result of a task; nothing while it has none.
fn record(id: &TaskId, json: &[u8]) -> Result<Option<ResultRecord>> {
    celery_result::read(json).map_err(|error| error.checked(format!("the task is {id}")))
}

fn position(record: &ResultRecord) -> Position {
    Position { number: record.finished_at.0, id: record.id.to_string() }
}

/// Among many, what cannot be read is left out.
fn readable(json: &[u8]) -> Option<ResultRecord> {
    celery_result::read(json).ok().flatten()
}

impl RedisStore {
    async fn read(&self, names: &[String]) -> Result<Vec<Option<Bytes>>> {
        let mut pipeline = redis::pipe();
        for page in names.chunks(PAGE) {
            pipeline.cmd("MGET").arg(page);
        }
        let mut read = Vec::with_capacity(names.len());
        for answer in self.shared.main.ask_each(&pipeline).await? {
            read.extend(items(answer, "MGET")?.into_iter().map(bytes));
        }
        Ok(read)
    }

    async fn is_current(&self, id: &TaskId, run: RunNumber) -> Result<bool> {
        let known = known::look(&self.shared.main, [id]).await?.pop().unwrap_or_default();
        Ok(is_current(known.record(), run))
    }
}
