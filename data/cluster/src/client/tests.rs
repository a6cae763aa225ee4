//! A cluster within the test's process, whose executors end at the moment that a test chooses.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::sync::Mutex;

use cardoon_engine::{Engine, Settings};
use cardoon_frame::Frame;
use datafusion::arrow::array::AsArray as _;
use datafusion::arrow::datatypes::Int64Type;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Duration, interval, timeout};

use super::*;
use crate::{Executor, ExecutorSettings, Scheduler, SchedulerSettings};

const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A cluster of two executors, of which the one that holds the rows ends between the end of the first query and their
/// fetching.
struct Interrupted {
    client: Client,
    executors: Mutex<HashMap<String, Runtime>>,
    /// Whether each fetching found the executor gone.
    found_gone: Mutex<Vec<bool>>,
    /// Ends with it.
    _scheduler: Runtime,
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.client.fmt(f)
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

impl Interrupted {
    fn start() -> Self {
        let scheduler = runtime();
        let bound = scheduler.block_on(Scheduler::bind(SchedulerSettings { bind: ANYWHERE, token: None }));
        let bound = bound.unwrap();
        let address = bound.address().clone();
        scheduler.spawn(bound.serve());
        let client = scheduler.block_on(Client::connect(address, None)).unwrap();
        let mut executors = HashMap::new();
        while executors.len() < 2 {
            let (id, executor) = scheduler.block_on(executor(&client, &executors));
            executors.insert(id, executor);
        }
        let found_gone = Mutex::default();
        Self { client, executors: executors.into(), found_gone, _scheduler: scheduler }
    }

    async fn end_holders(&self, places: &[PartitionLocation]) {
        for place in places {
            let id = &place.executor_meta.as_ref().unwrap().id;
            let ended = self.executors.lock().unwrap().remove(id);
            if let Some(executor) = ended {
                let end = move || executor.shutdown_timeout(Duration::from_secs(5));
                tokio::task::spawn_blocking(end).await.unwrap();
            }
        }
    }
}

/// Starts one, and waits until the scheduler knows it.
async fn executor(client: &Client, others: &HashMap<String, Runtime>) -> (String, Runtime) {
    let settings = ExecutorSettings {
        scheduler: client.address().clone(),
        token: None,
        bind: ANYWHERE,
        host: None,
        threads: 1,
        memory: Some(256 << 20),
        folder: None,
        python: None,
    };
    let executor = runtime();
    executor.spawn(async move { Executor::start(settings).await.unwrap().run().await });
    let mut rounds = interval(Duration::from_millis(10));
    let waiting = async {
        loop {
            rounds.tick().await;
            let known = client.state().await.unwrap().executors;
            if let Some(new) = known.into_iter().find(|known| !others.contains_key(&known.id)) {
                return new.id;
            }
        }
    };
    (timeout(Duration::from_secs(30), waiting).await.unwrap(), executor)
}

#[async_trait]
impl Cluster for Interrupted {
    async fn threads(&self) -> Result<usize, DataFusionError> {
        self.client.threads().await
    }

    fn prepare(&self, session: SessionStateBuilder, little: bool) -> SessionStateBuilder {
        self.client.prepare(session, little)
    }

    async fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &SessionConfig,
        spill_folder: Option<&Path>,
        watch: &Arc<Watch>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let answer = Answer::new(plan.schema(), spill_folder);
        let Done { places, .. } = self
            .client
            .done(plan, config, watch)
            .await
            .inspect_err(|error| self.client.losses.note(error))?;
        assert!(!places.is_empty());
        if self.found_gone.lock().unwrap().is_empty() {
            self.end_holders(&places).await;
        }
        let fetched =
            self.client.fetched(answer, places).await.inspect_err(|error| self.client.losses.note(error));
        self.found_gone.lock().unwrap().push(fetched.as_ref().is_err_and(was_lost));
        fetched
    }
}

fn numbers() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..4 {
        let mut text = String::from("k,n\n");
        for row in 0..1000 {
            writeln!(text, "{},{row}", row % 10).unwrap();
        }
        fs::write(folder.path().join(format!("{file}.csv")), text).unwrap();
    }
    folder
}

#[test]
fn rows_that_go_with_their_executor_before_they_are_fetched_are_worked_out_again() {
    let folder = numbers();
    let cluster = Arc::new(Interrupted::start());
    let engine = Engine::on(cluster.clone(), Settings::new()).unwrap();
    let files = folder.path().display();
    let frame = Frame::sql(format!(
        "select sum(s) as s from (select k, sum(n) as s from '{files}/*.csv' group by k)"
    ));
    let (_, batches) = runtime().block_on(engine.collect(&frame)).unwrap();
    let sums: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    assert_eq!(sums, [4 * 499_500]);
    // Fetching alone could not help.
    assert_eq!(*cluster.found_gone.lock().unwrap(), [true, false]);
    assert_eq!(cluster.executors.lock().unwrap().len(), 1);
}
