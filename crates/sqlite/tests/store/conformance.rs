//! The adapter under the suites of its ports.

use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::conformance::Joined;
use cardoon_broker::{Broker, Consumer};
use cardoon_coord::Coordinator;
use cardoon_core::{ResultRecord, RunNumber, TaskId, Timestamp};
use cardoon_results::{BeginRun, Begun, ResultBackend};
use cardoon_runtime::{Clock, ManualClock};
use cardoon_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

mod as_broker {
    cardoon_broker::broker_conformance!(super::broker());
}

mod as_coord {
    cardoon_coord::coord_conformance!(super::coord());
}

mod as_results {
    cardoon_results::results_conformance!(super::results());
}

/// The bells alone must do, so the safety net is off.
fn options() -> SqliteOptions {
    SqliteOptions { safety_net: None, ..SqliteOptions::default() }
}

struct SqliteHarness {
    folder: TempDir,
    manual: Arc<ManualClock>,
    store: Mutex<Arc<SqliteStore>>,
}

fn broker() -> Ready<Arc<dyn cardoon_broker::conformance::Harness>> {
    ready(Arc::new(SqliteHarness::new()))
}

fn results() -> Ready<Arc<dyn cardoon_results::conformance::Harness>> {
    ready(Arc::new(SqliteHarness::new()))
}

fn coord() -> Ready<Arc<dyn cardoon_coord::conformance::Harness>> {
    ready(Arc::new(SqliteHarness::new()))
}

impl SqliteHarness {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manual = ManualClock::new(Timestamp(1_800_000_000_000));
        let path = folder.path().join("tasks.db");
        let store = SqliteStore::open(path, &options(), &Clock::manual(&manual)).unwrap();
        Self { folder, manual, store: Mutex::new(store) }
    }

    fn store(&self) -> Arc<SqliteStore> {
        self.store.lock().unwrap().clone()
    }

    fn open(&self) -> Arc<SqliteStore> {
        let path = self.folder.path().join("tasks.db");
        SqliteStore::open(path, &options(), &Clock::manual(&self.manual)).unwrap()
    }

    async fn open_again(&self) -> Arc<SqliteStore> {
        Broker::close(&*self.store(), Duration::from_secs(20)).await.unwrap();
        let again = self.open();
        *self.store.lock().unwrap() = Arc::clone(&again);
        again
    }
}

#[async_trait]
impl cardoon_broker::conformance::Harness for SqliteHarness {
    fn broker(&self) -> Arc<dyn Broker> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn Broker> {
        self.open()
    }

    async fn reopen(&self) -> Option<Arc<dyn Broker>> {
        Some(self.open_again().await)
    }

    async fn kill(&self, consumer: Arc<dyn Consumer>) {
        // Its lock goes with it, as with its process.
        drop(consumer);
    }

    fn clock(&self) -> Clock {
        Clock::manual(&self.manual)
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }

    fn joined(&self) -> Option<&dyn Joined> {
        Some(self)
    }
}

#[async_trait]
impl Joined for SqliteHarness {
    async fn record(&self, id: &TaskId) -> Option<ResultRecord> {
        ResultBackend::get(&*self.store(), std::slice::from_ref(id)).await.unwrap().pop().unwrap()
    }

    async fn begin(&self, id: &TaskId, attempt: u32) -> Option<RunNumber> {
        let run = BeginRun { id: id.clone(), attempt };
        match self.store().begin(vec![run]).await.pop().unwrap().unwrap() {
            Begun::Run(number) => Some(number),
            Begun::Ended | Begun::Superseded => None,
        }
    }
}

#[async_trait]
impl cardoon_coord::conformance::Harness for SqliteHarness {
    fn coord(&self) -> Arc<dyn Coordinator> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn Coordinator> {
        self.open()
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }
}

#[async_trait]
impl cardoon_results::conformance::Harness for SqliteHarness {
    fn results(&self) -> Arc<dyn ResultBackend> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn ResultBackend> {
        self.open()
    }

    async fn reopen(&self) -> Option<Arc<dyn ResultBackend>> {
        Some(self.open_again().await)
    }

    async fn pass(&self, time: Duration) {
        self.manual.advance(time);
    }
}
