use std::time::Duration;

use async_trait::async_trait;
use cardoon_core::run::is_current;
use cardoon_core::{Progress, ResultRecord, RunNumber, TaskId};
use cardoon_errors::Result;
use cardoon_protocol::celery_result;
use cardoon_results::{BeginRun, Begun, RecordFilter, Reported, ResultBackend, Stored};
use serde::{Deserialize, Serialize};

use crate::keys;
use crate::link::{bytes, items};
use crate::operations::{ends, known, runs, search};
use crate::store::RedisStore;

/// Results that are read in one command at most.
const PAGE: usize = 512;

/// How long the progress of a run is kept that says nothing more.
const PROGRESS_KEPT: Duration = Duration::from_hours(24);

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
        self.read(&names).await
    }

    async fn wait(&self, id: &TaskId, limit: Option<Duration>) -> Result<Option<ResultRecord>> {
        self.shared.check()?;
        let shared = &self.shared;
        if limit == Some(Duration::ZERO) {
            let found = self.get(std::slice::from_ref(id)).await?.pop().flatten();
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
                Ok(record) => Ok(Some(record)),
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
            lines.into_iter().filter_map(bytes).filter_map(|json| record(&json)).collect();
        if kept.is_empty() {
            // Without a history the last run is all that is known.
            return Ok(self.get(std::slice::from_ref(id)).await?.into_iter().flatten().collect());
        }
        Ok(kept)
    }

    async fn list(&self, filter: &RecordFilter, limit: usize) -> Result<Vec<ResultRecord>> {
        self.shared.check()?;
        let names = search::scan(&self.shared.main, &format!("{}*", keys::RESULTS)).await?;
        let mut found: Vec<ResultRecord> = self.read(&names).await?.into_iter().flatten().collect();
        found.retain(|record| filter.admits(record));
        found.sort_by_key(|record| std::cmp::Reverse(record.finished_at));
        found.truncate(limit);
        Ok(found)
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
        if !self.is_current(id, run).await? {
            return Ok(());
        }
        let kept = ends::seconds(PROGRESS_KEPT);
        let json = serde_json::to_string(&Written { run, progress }).unwrap_or_default();
        let mut command = redis::cmd("SETEX");
        command.arg(keys::progress(id)).arg(&kept[..]).arg(json);
        self.shared.main.ask(&command).await.map(drop)
    }

    async fn progress(&self, id: &TaskId) -> Result<Option<Reported>> {
        self.shared.check()?;
        let mut command = redis::cmd("GET");
        command.arg(keys::progress(id));
        let json = bytes(self.shared.main.ask(&command).await?);
        let written: Option<Written> = json.and_then(|json| serde_json::from_slice(&json).ok());
        let Some(Written { run, progress }) = written else { return Ok(None) };
        Ok(self.is_current(id, run).await?.then_some(Reported { run, progress }))
    }

    async fn close(&self, limit: Duration) -> Result<()> {
        self.shut(limit).await
    }
}

/// Progress as it is stored.
#[derive(Serialize, Deserialize)]
struct Written {
    run: RunNumber,
    progress: Progress,
}

fn record(json: &[u8]) -> Option<ResultRecord> {
    celery_result::read(json).ok().flatten()
}

impl RedisStore {
    async fn read(&self, names: &[String]) -> Result<Vec<Option<ResultRecord>>> {
        let mut pipeline = redis::pipe();
        for page in names.chunks(PAGE) {
            pipeline.cmd("MGET").arg(page);
        }
        let mut records = Vec::with_capacity(names.len());
        for answer in self.shared.main.ask_each(&pipeline).await? {
            let values = items(answer, "MGET")?.into_iter();
            records.extend(values.map(|value| bytes(value).and_then(|json| record(&json))));
        }
        Ok(records)
    }

    async fn is_current(&self, id: &TaskId, run: RunNumber) -> Result<bool> {
        let known = known::look(&self.shared.main, [id]).await?.pop().unwrap_or_default();
        let record = known.record().unwrap_or_default();
        Ok(!record.ended && record.current == run)
    }
}
