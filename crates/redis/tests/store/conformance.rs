//! The adapter under the suites of its ports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use cardoon_broker::conformance::Joined;
use cardoon_broker::{Broker, Consumer};
use cardoon_coord::Coordinator;
use cardoon_core::lease::LeaseTerms;
use cardoon_core::{ResultRecord, RunNumber, TaskId};
use cardoon_redis::{RedisAddress, RedisOptions, RedisStore, Retention};
use cardoon_results::{BeginRun, Begun, ResultBackend};
use cardoon_runtime::Clock;
use cardoon_testkit::{AppendOnly, RedisServer, Release};

macro_rules! on {
    ($($name:ident: $release:ident;)*) => {$(
        mod $name {
            mod as_broker {
                cardoon_broker::broker_conformance!(super::super::broker(cardoon_testkit::Release::$release));
            }

            mod as_coord {
                cardoon_coord::coord_conformance!(super::super::coord(cardoon_testkit::Release::$release));
            }

            mod as_results {
                cardoon_results::results_conformance!(super::super::results(cardoon_testkit::Release::$release));
            }
        }
    )*};
}

on! {
    on_the_installed: Installed;
    on_6_2: V6_2;
    on_8_2: V8_2;
}

/// What the server tells must do, so the safety net is off.
fn options() -> RedisOptions {
    let retention = Retention { history: Some(Duration::from_hours(1)), ..Retention::default() };
    RedisOptions { safety_net: None, retention, ..RedisOptions::default() }
}

struct RedisHarness {
    server: RedisServer,
    store: Mutex<Arc<RedisStore>>,
}

async fn broker(release: Release) -> Arc<dyn cardoon_broker::conformance::Harness> {
    Arc::new(RedisHarness::new(release).await)
}

async fn coord(release: Release) -> Arc<dyn cardoon_coord::conformance::Harness> {
    Arc::new(RedisHarness::new(release).await)
}

async fn results(release: Release) -> Arc<dyn cardoon_results::conformance::Harness> {
    Arc::new(RedisHarness::new(release).await)
}

impl RedisHarness {
    async fn new(release: Release) -> Self {
        let options = cardoon_testkit::RedisOptions::default().append_only(AppendOnly::EverySecond);
        let server = RedisServer::start_with(options.release(release)).await.unwrap();
        let store = Mutex::new(open(&server).await);
        Self { server, store }
    }

    fn store(&self) -> Arc<RedisStore> {
        self.store.lock().unwrap().clone()
    }

    async fn open_again(&self) -> Arc<RedisStore> {
        Broker::close(&*self.store(), Duration::from_secs(20)).await.unwrap();
        let again = open(&self.server).await;
        *self.store.lock().unwrap() = Arc::clone(&again);
        again
    }
}

async fn open(server: &RedisServer) -> Arc<RedisStore> {
    let address = RedisAddress::parse(&server.url()).unwrap();
    RedisStore::connect(&address, &options(), &Clock::real()).await.unwrap()
}

#[async_trait]
impl cardoon_broker::conformance::Harness for RedisHarness {
    fn broker(&self) -> Arc<dyn Broker> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn Broker> {
        open(&self.server).await
    }

    async fn reopen(&self) -> Option<Arc<dyn Broker>> {
        Some(self.open_again().await)
    }

    async fn kill(&self, consumer: Arc<dyn Consumer>) {
        // Its connections go with it, as with its process.
        drop(consumer);
    }

    fn clock(&self) -> Clock {
        Clock::real()
    }

    async fn pass(&self, time: Duration) {
        Clock::real().sleep(time).await;
    }

    fn terms(&self) -> LeaseTerms {
        LeaseTerms { lease: Duration::from_secs(3), heartbeat: Duration::from_secs(1) }
    }

    fn joined(&self) -> Option<&dyn Joined> {
        Some(self)
    }
}

#[async_trait]
impl Joined for RedisHarness {
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
impl cardoon_coord::conformance::Harness for RedisHarness {
    fn coord(&self) -> Arc<dyn Coordinator> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn Coordinator> {
        open(&self.server).await
    }

    async fn pass(&self, time: Duration) {
        Clock::real().sleep(time).await;
    }
}

#[async_trait]
impl cardoon_results::conformance::Harness for RedisHarness {
    fn results(&self) -> Arc<dyn ResultBackend> {
        self.store()
    }

    async fn second(&self) -> Arc<dyn ResultBackend> {
        open(&self.server).await
    }

    async fn reopen(&self) -> Option<Arc<dyn ResultBackend>> {
        Some(self.open_again().await)
    }

    async fn pass(&self, time: Duration) {
        Clock::real().sleep(time).await;
    }
}
