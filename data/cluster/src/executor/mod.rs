//! A process that carries out parts of plans.

mod heartbeat;
mod orders;
mod pulse;
mod running;
mod stages;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_flight::flight_service_server::FlightServiceServer;
use ballista_core::BALLISTA_PROTOCOL_VERSION;
use ballista_core::extension::SessionConfigExt as _;
use ballista_core::ids::new_instance_id;
use ballista_core::registry::BallistaFunctionRegistry;
use ballista_core::serde::BallistaCodec;
use ballista_core::serde::protobuf::ExecutorRegistration;
use ballista_core::serde::protobuf::executor_grpc_server::ExecutorGrpcServer;
use ballista_core::serde::protobuf::scheduler_grpc_client::SchedulerGrpcClient;
use ballista_core::serde::scheduler::{ExecutorOperatingSystemSpecification, ExecutorSpecification};
use ballista_executor::execution_loop::poll_loop;
use ballista_executor::executor::Executor as Work;
use ballista_executor::flight_service::BallistaFlightService;
use ballista_executor::health::ExecutorHealth;
use ballista_executor::metrics::LoggingMetricsCollector;
use cardoon_engine::{Children, Python, Settings};
use cardoon_errors::{Code, Error, Result};
use datafusion::execution::SessionStateDefaults;
use datafusion::prelude::SessionConfig;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Status};

use crate::access::{self, Access, Token};
use crate::address::Address;
use crate::client::{self, SchedulerCalls, Watched};
use crate::folder::private_folder;
use crate::{codec, limits};
use orders::Orders;
use pulse::Pulse;
use running::Running;
use stages::Stages;

/// What an executor may use, and whom it works for.
#[derive(Debug, Clone)]
pub struct ExecutorSettings {
    pub scheduler: Address,
    pub token: Option<Token>,
    /// Where others fetch from it what it has produced. Port 0 means a free one.
    pub bind: SocketAddr,
    /// The host under which others reach it; by default the one from which the scheduler sees it come.
    pub host: Option<String>,
    /// Threads that work, 1 or more.
    pub threads: usize,
    /// Bytes that the process may have resident, 256 MiB or more; by default seven tenths of the machine's.
    pub memory: Option<u64>,
    /// Where its files go, in a folder of their own; by default the system's folder for temporary files.
    pub folder: Option<PathBuf>,
    /// How it carries out functions of Python, which it does not by default: whoever may ask for that may do all that its
    /// account may, so that it takes a token.
    pub python: Option<Python>,
}

/// An executor that its scheduler knows.
pub struct Executor {
    work: Arc<Work>,
    pulse: Pulse,
    running: Running,
    listener: TcpListener,
    calls: SchedulerGrpcClient<Watched>,
    /// A call for work has failed.
    failed: Arc<Notify>,
    heartbeats: SchedulerCalls,
    access: Access,
    /// Removed with the executor.
    _folder: TempDir,
}

impl Executor {
    /// Listens, and reaches the scheduler. Errors with [`Code::NoCluster`] if that does not answer, and with
    /// [`Code::BadInput`] if it does not reach this executor in its turn, or if functions are allowed without a token.
    pub async fn start(settings: ExecutorSettings) -> Result<Self> {
        let access = Access::new(settings.token.clone());
        access.may_listen(settings.bind)?;
        if settings.python.is_some() {
            access::may_run_functions(settings.token.as_ref())?;
        }
        client::state(&settings.scheduler, &access).await?;
        let failed_calls = Arc::<Notify>::default();
        let connection = client::connection(&settings.scheduler, &access).await?;
        let calls = SchedulerGrpcClient::new(Watched::new(connection, failed_calls.clone()))
            .max_decoding_message_size(limits::MESSAGE)
            .max_encoding_message_size(limits::MESSAGE);
        let heartbeats = client::calls(&settings.scheduler, &access).await?;
        let listener =
            TcpListener::bind(settings.bind).await.map_err(|error| failed("it cannot listen", error))?;
        let port = listener.local_addr().map_err(|error| failed("it cannot listen", error))?.port();
        if !client::is_reached(&settings.scheduler, &access, settings.host.as_deref(), port).await? {
            return Err(not_reached(&settings, port));
        }
        let folder = folder(settings.folder.as_ref())?;
        let (pulse, running) = (Pulse::default(), Running::new(settings.scheduler.clone(), access.clone()));
        let stages = Stages::new(pulse.clone(), running.clone());
        let work = Arc::new(work(&settings, port, &folder, &access, stages)?);
        let failed = failed_calls;
        Ok(Self { work, pulse, running, listener, calls, failed, heartbeats, access, _folder: folder })
    }

    /// Works for as long as it is polled, or until a call to the scheduler has failed: then neither of the two knows what
    /// the other has heard, and the executor ends with [`Code::NoCluster`]. Another one may be started in its place.
    pub async fn run(self) -> Result<()> {
        let Self { work, pulse, running, listener, calls, failed: failed_calls, heartbeats, access, _folder } =
            self;
        let codec =
            BallistaCodec::<LogicalPlanNode, PhysicalPlanNode>::new(codec::logical(), codec::physical());
        let health = ExecutorHealth::new();
        tokio::select! {
            served = serve(listener, &work, access) => served.map_err(|error| failed("it broke off", error)),
            worked = poll_loop(calls, work.clone(), codec, Some(pulse.wake()), None, health) => {
                worked.map_err(|error| failed("it broke off", error))
            }
            () = failed_calls.notified() => Err(broken()),
            never = heartbeat::send(heartbeats, &work) => match never {},
            never = pulse.beat() => match never {},
            never = running.tell(&work.metadata.id) => match never {},
        }
    }
}

fn broken() -> Error {
    Error::new(Code::NoCluster, "the cluster cannot be reached").checked("a call for work was not answered")
}

fn not_reached(settings: &ExecutorSettings, port: u16) -> Error {
    let host = settings.host.clone().unwrap_or_else(|| "this machine".to_owned());
    Error::new(Code::BadInput, "the scheduler does not reach this executor")
        .checked(format!("{host}, port {port}, as the scheduler sees it"))
        .hint("--bind an address that others reach; --host tells under which name, if that is another one")
}

fn folder(within: Option<&PathBuf>) -> Result<TempDir> {
    private_folder(within.map(PathBuf::as_path), "cardoon-executor-")
        .map_err(|error| failed("it has no folder for its files", error))
}

fn work(
    settings: &ExecutorSettings,
    port: u16,
    folder: &TempDir,
    access: &Access,
    stages: Stages,
) -> Result<Work> {
    let threads = settings.threads.max(1);
    let registration = ExecutorRegistration {
        id: new_instance_id(),
        host: settings.host.clone(),
        port: u32::from(port),
        grpc_port: u32::from(port),
        specification: Some(ExecutorSpecification::default().with_vcores(threads as u32).into()),
        os_info: Some(ExecutorOperatingSystemSpecification::default().into()),
        ballista_protocol_version: BALLISTA_PROTOCOL_VERSION,
    };
    let spill_folder = folder.path().join("spill");
    fs::create_dir_all(&spill_folder).map_err(|error| failed("it has no folder for its files", error))?;
    let limits = Settings { memory: settings.memory, spill_folder: Some(spill_folder), ..Settings::new() };
    let runtime = cardoon_engine::runtime(&limits)?;
    let shared_out = cardoon_engine::shared_out(&runtime);
    let of_task = move |config: &SessionConfig| {
        let is_short = cardoon_engine::is_short_of_memory(config);
        Ok(if is_short { shared_out.clone() } else { runtime.clone() })
    };
    let children = Arc::new(Children::new(settings.python.clone(), settings.memory)?);
    let endpoint = access.endpoint();
    Ok(Work::new(
        registration,
        &folder.path().join("shuffle").display().to_string(),
        Arc::new(of_task),
        Arc::new(move || session(endpoint.clone()).with_extension(children.clone())),
        Arc::new(functions()),
        Arc::new(LoggingMetricsCollector::default()),
        threads,
        Arc::new(stages),
    ))
}

/// All functions that a query may call where it is planned.
fn functions() -> BallistaFunctionRegistry {
    let mut functions = BallistaFunctionRegistry::default();
    let scalar = SessionStateDefaults::default_scalar_functions();
    functions
        .scalar_functions
        .extend(scalar.into_iter().map(|function| (function.name().to_owned(), function)));
    functions
}

fn session(endpoint: ballista_core::extension::EndpointOverrideFn) -> SessionConfig {
    SessionConfig::new_with_ballista()
        .with_ballista_physical_extension_codec(codec::physical())
        .with_ballista_override_create_grpc_client_endpoint(endpoint)
        .with_ballista_grpc_client_max_message_size(limits::MESSAGE)
}

async fn serve(
    listener: TcpListener,
    work: &Arc<Work>,
    access: Access,
) -> Result<(), tonic::transport::Error> {
    let files = FlightServiceServer::new(BallistaFlightService::new(work.work_dir.clone()))
        .max_decoding_message_size(limits::MESSAGE)
        .max_encoding_message_size(limits::MESSAGE);
    let orders = ExecutorGrpcServer::new(Orders::new(work.clone()));
    let guarded = move |request: Request<()>| guard(&access, request);
    Server::builder()
        .add_service(InterceptedService::new(files, guarded.clone()))
        .add_service(InterceptedService::new(orders, guarded))
        .serve_with_incoming(TcpIncoming::from(listener).with_nodelay(Some(true)))
        .await
}

fn guard(access: &Access, request: Request<()>) -> Result<Request<()>, Status> {
    let agent = request.metadata().get("user-agent").and_then(|agent| agent.to_str().ok());
    if access.lets(agent) { Ok(request) } else { Err(Status::unauthenticated("the token is another one")) }
}

fn failed(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Internal, format!("the executor does not run: {what}")).source(error)
}

#[cfg(test)]
mod tests {
    use datafusion::execution::FunctionRegistry as _;
    use datafusion::prelude::SessionContext;

    use super::*;

    #[test]
    fn an_executor_knows_every_function_that_a_plan_may_name() {
        let (here, there) = (SessionContext::new(), functions());
        for function in here.udfs().iter().map(|name| here.udf(name).unwrap()) {
            assert!(there.udf(function.name()).is_ok(), "{}", function.name());
        }
        for function in here.udafs().iter().map(|name| here.udaf(name).unwrap()) {
            assert!(there.udaf(function.name()).is_ok(), "{}", function.name());
        }
        for function in here.udwfs().iter().map(|name| here.udwf(name).unwrap()) {
            assert!(there.udwf(function.name()).is_ok(), "{}", function.name());
        }
    }
}
