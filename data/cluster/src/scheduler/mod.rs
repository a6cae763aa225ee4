//! The process that cuts plans into stages and has executors carry them out.

mod clients;
mod jobs;
mod service;
mod watch;

use std::net::SocketAddr;
use std::sync::Arc;

use ballista_core::ConfigProducer;
use ballista_core::config::TaskSchedulingPolicy;
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::utils::default_session_builder;
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::create_scheduler;
use ballista_scheduler::scheduler_server::SchedulerServer;
use cardoon_errors::{Code, Error, Result};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tokio::net::TcpListener;

use crate::access::{Access, Token};
use crate::address::Address;
use crate::{codec, limits};
use clients::Clients;
use jobs::Told;
use service::Served;
use watch::Losses;

/// Longer than any scheduler runs, in seconds: ten years.
const NEVER: u64 = 10 * 365 * 86_400;

pub(crate) type Server = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;

/// How a scheduler listens.
#[derive(Debug, Clone)]
pub struct SchedulerSettings {
    /// Port 0 means a free one.
    pub bind: SocketAddr,
    pub token: Option<Token>,
}

/// A scheduler that listens. What it knows lies in its memory: with it the queries that run are lost, and whoever asked
/// them asks again.
pub struct Scheduler {
    listener: TcpListener,
    server: Arc<Server>,
    access: Access,
    address: Address,
}

impl Scheduler {
    /// Errors with [`Code::BadInput`] if others could reach `bind` and there is no token, and with
    /// [`Code::CannotListen`] if something else listens there.
    pub async fn bind(settings: SchedulerSettings) -> Result<Self> {
        let access = Access::new(settings.token);
        access.may_listen(settings.bind)?;
        let listener = TcpListener::bind(settings.bind).await.map_err(|error| taken(settings.bind, error))?;
        let at = listener.local_addr().map_err(|error| taken(settings.bind, error))?;
        let server = server(at, &access).await.map_err(failed)?;
        let address = at.to_string().parse()?;
        Ok(Self { listener, server: Arc::new(server), access, address })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Serves for as long as it is polled.
    pub async fn serve(self) -> Result<()> {
        let Self { listener, server, access, .. } = self;
        let losses = Losses::default();
        let clients = Clients::default();
        let served = Served {
            server: server.clone(),
            losses: losses.clone(),
            clients: clients.clone(),
            told: Told::default(),
        };
        tokio::select! {
            served = service::serve(listener, served, access) => served.map_err(failed),
            never = watch::executors(&server, &losses) => match never {},
            never = clients.watch(&server) => match never {},
        }
    }
}

async fn server(at: SocketAddr, access: &Access) -> ballista_core::error::Result<Server> {
    let endpoint = access.endpoint();
    let config_of_sessions: ConfigProducer = {
        let endpoint = endpoint.clone();
        Arc::new(move || {
            SessionConfig::new_with_ballista()
                .with_ballista_physical_extension_codec(codec::physical())
                .with_ballista_override_create_grpc_client_endpoint(endpoint.clone())
        })
    };
    let config = SchedulerConfig {
        scheduling_policy: TaskSchedulingPolicy::PullStaged,
        bind_host: at.ip().to_string(),
        bind_port: at.port(),
        // Who is lost is found out by `watch`, which counts.
        executor_timeout_seconds: NEVER,
        expire_dead_executor_interval_seconds: NEVER,
        no_executors_grace_period_seconds: 0,
        // A stage that is rolled back leaves its finished tasks' rows with the next stage, and adds them once more.
        stage_max_failures: 1,
        finished_job_data_clean_up_interval_seconds: limits::KEPT,
        finished_job_state_clean_up_interval_seconds: limits::KEPT,
        grpc_server_max_decoding_message_size: limits::MESSAGE as u32,
        grpc_server_max_encoding_message_size: limits::MESSAGE as u32,
        override_physical_codec: Some(codec::physical()),
        override_logical_codec: Some(codec::logical()),
        override_config_producer: Some(config_of_sessions.clone()),
        override_create_grpc_client_endpoint: Some(endpoint),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_memory(at.to_string(), Arc::new(session), config_of_sessions);
    create_scheduler(cluster, Arc::new(config)).await
}

/// Plans name object stores, so that whoever reads plans has to know them. The scheduler asks them nothing.
fn session(config: SessionConfig) -> datafusion::error::Result<SessionState> {
    let state = SessionStateBuilder::from(default_session_builder(config)?);
    Ok(state.with_runtime_env(cardoon_engine::finding()?).build())
}

fn taken(at: SocketAddr, error: std::io::Error) -> Error {
    Error::new(Code::CannotListen, format!("{at} cannot be listened on"))
        .source(error)
        .hint("choose another with --bind")
}

fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, "the scheduler broke off").source(error)
}
