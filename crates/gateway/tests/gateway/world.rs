//! A gateway on stores of its own, with a worker if the test wants one.

use std::net::SocketAddr;
use std::time::Duration;

use cardoon::{App, Stores, Worker};
use cardoon_gateway::{Gateway, GatewayOptions};
use cardoon_protocol::Limits;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::client::{Reply, Wire, request};

pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    pub(crate) services: Supervisor,
}

impl World {
    /// On stores in memory.
    pub(crate) async fn new() -> Self {
        Self::with(GatewayOptions::default()).await
    }

    pub(crate) async fn with(options: GatewayOptions) -> Self {
        Self::at(cardoon_connect::memory(&Clock::real()), options).await
    }

    pub(crate) async fn at(stores: Stores, options: GatewayOptions) -> Self {
        let app = App::builder().with_stores(stores);
        let options = GatewayOptions { listen: (options.listen.ip(), 0).into(), ..options };
        let gateway = Gateway::bind(app.clone(), Limits::default(), &options, &Clock::real()).await.unwrap();
        let (address, services) = (gateway.address(), Supervisor::new());
        let stopping = services.stopping();
        services.spawn(ServiceKind::Connection, async move { gateway.serve(stopping.cancelled()).await });
        Self { address, app, services }
    }

    /// Starts a worker with the built-in tasks.
    pub(crate) fn work(self) -> Self {
        let worker = Worker::builder(&self.app).builtins().concurrency(4).name("the-worker");
        let runtime = tokio::runtime::Handle::current();
        let run = move |stopping: CancellationToken| {
            runtime.block_on(worker.run_until(stopping.cancelled())).map(|_| ())
        };
        self.services.spawn_thread(ServiceKind::Connection, run).unwrap();
        self
    }

    pub(crate) async fn wire(&self) -> Wire {
        Wire::open(self.address).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Reply {
        let mut wire = self.wire().await;
        wire.write(request(method, path, headers, body)).await;
        wire.reply().await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, &[], None).await
    }

    /// The JSON under a path.
    pub(crate) async fn look(&self, path: &str) -> Value {
        let reply = self.get(path).await;
        assert_eq!(reply.status, 200, "{path}: {reply:?}");
        reply.json()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.ask("POST", path, &[], Some(&body.to_string())).await
    }

    /// Sends a task and answers its id.
    pub(crate) async fn send(&self, task: &str, args: Value) -> String {
        self.send_with(json!({ "task": task, "args": args })).await
    }

    pub(crate) async fn send_with(&self, body: Value) -> String {
        let reply = self.post("/api/v1/tasks", body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.json()["id"].as_str().unwrap().to_owned()
    }

    /// What is known of a task when it has ended.
    pub(crate) async fn ended(&self, id: &str) -> Value {
        let task = self.look(&format!("/api/v1/tasks/{id}?wait=30s")).await;
        assert!(!task["record"].is_null(), "{task}");
        task
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.services.stop();
    }
}
