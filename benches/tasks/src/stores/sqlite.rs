//! A fresh database with tasks in it, and how far its workers are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use cardoon::{App, builtin};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::stopwatch;
use crate::stores::temporary_folder;

/// A database in a folder of its own, removed with it.
pub(crate) struct Fixture {
    folder: TempDir,
    pub(crate) app: App,
}

/// What the ends of tasks say, read without disturbing the writers.
pub(crate) struct Ends(Connection);

impl Fixture {
    pub(crate) async fn empty() -> Result<Self> {
        let folder = temporary_folder()?;
        let url = format!("sqlite:{}", folder.path().join("bench.db").display());
        let app = App::connect(&url).await?;
        Ok(Self { folder, app })
    }

    /// With this many no-ops that wait.
    pub(crate) async fn of_noops(count: usize) -> Result<Self> {
        let fixture = Self::empty().await?;
        fixture.add_noops(count).await?;
        Ok(fixture)
    }

    pub(crate) async fn add_noops(&self, count: usize) -> Result<()> {
        for start in (0..count).step_by(10_000) {
            let some = (count - start).min(10_000);
            self.app.send_many((0..some).map(|_| builtin::noop::signature())).await?;
        }
        Ok(())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.path().join("bench.db")
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    pub(crate) fn ends(&self) -> Result<Ends> {
        Ends::of(&self.database())
    }

    pub(crate) async fn close(self) -> Result<()> {
        self.app.close(Duration::from_secs(10)).await.context("cannot close the store")
    }
}

impl Ends {
    fn of(database: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        Ok(Self(connection))
    }

    /// How many runs have ended: records are numbered from 1 without gaps.
    pub(crate) fn count(&self) -> Result<u64> {
        let mut last = self.0.prepare_cached("SELECT coalesce(max(n), 0) FROM record")?;
        Ok(last.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned())
    }

    /// How many runs each worker ended after record number `after`.
    pub(crate) fn by_worker(&self, after: u64) -> Result<Vec<(String, u64)>> {
        let mut query = self
            .0
            .prepare("SELECT worker, count(*) FROM record WHERE n > ?1 GROUP BY worker ORDER BY worker")?;
        let rows = query.query_map([after.cast_signed()], |row| {
            Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Tasks a second from the first end that is seen after `before` of them to the end of number `last`.
    pub(crate) fn rate(&self, before: u64, last: u64) -> Result<f64> {
        let tick = Duration::from_millis(2);
        let ended_past = |count: u64| move || Ok(Some(self.count()?).filter(|ended| *ended >= count));
        let seen = stopwatch::poll("the first task", tick, ended_past(before + 1))?;
        let watch = stopwatch::Stopwatch::start();
        stopwatch::poll("the last task", tick, ended_past(last))?;
        Ok((last - seen) as f64 / watch.secs())
    }
}
