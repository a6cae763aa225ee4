//! Ballista as its authors ship it, with their defaults and without anything of ours, to measure what ours adds and takes away.
//!
//! ```text
//! bare_ballista scheduler EXECUTORS         says its port, and a second line when so many executors are there
//! bare_ballista executor PORT VCORES        works for the scheduler at this port
//! bare_ballista query PORT SQL              writes the rows as CSV, and how long that took to standard error
//! bare_ballista version                     says Ballista's
//! ```
//!
//! It is what the main functions of its two programs and its client do, but for options, logs and S3. Ports are free ones.

use std::error::Error;
use std::io::{BufWriter, Write as _, stdout};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ballista_core::BALLISTA_VERSION;
use ballista_core::extension::SessionStateExt as _;
use ballista_executor::executor_process::{ExecutorProcessConfig, start_executor_process};
use ballista_scheduler::cluster::BallistaCluster;
use ballista_scheduler::config::SchedulerConfig;
use ballista_scheduler::scheduler_process::{create_scheduler, start_grpc_service_with_listener};
use ballista_scheduler::scheduler_server::SchedulerServer;
use datafusion::arrow::csv::WriterBuilder;
use datafusion::execution::SessionState;
use datafusion::prelude::SessionContext;
use datafusion_proto::protobuf::{LogicalPlanNode, PhysicalPlanNode};
use futures_util::TryStreamExt as _;
use tokio::net::TcpListener;
use tokio::time::interval;

/// Its executor is shipped with this one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Server = SchedulerServer<LogicalPlanNode, PhysicalPlanNode>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["scheduler", executors] => schedule(executors.parse()?).await,
        ["executor", port, vcores] => execute(port.parse()?, vcores.parse()?).await,
        ["query", port, sql] => query(port, sql).await,
        ["version"] => say(BALLISTA_VERSION),
        _ => Err("scheduler EXECUTORS, executor PORT VCORES, query PORT SQL, or version".into()),
    }
}

async fn schedule(executors: usize) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let bind_port = listener.local_addr()?.port();
    let config = SchedulerConfig { bind_port, ..SchedulerConfig::default() };
    let cluster = BallistaCluster::new_from_config(&config).await?;
    let server: Server = create_scheduler(cluster, Arc::new(config)).await?;
    say(&bind_port.to_string())?;
    tokio::try_join!(tell(&server, executors), serve(listener, server.clone()))?;
    Ok(())
}

async fn serve(listener: TcpListener, server: Server) -> Result<()> {
    Ok(start_grpc_service_with_listener(listener, server).await?)
}

async fn tell(server: &Server, executors: usize) -> Result<()> {
    let mut looks = interval(Duration::from_millis(10));
    while server.state.executor_manager.get_executors_state().await?.len() < executors {
        looks.tick().await;
    }
    say(&format!("{executors} executors are there"))
}

async fn execute(scheduler_port: u16, vcores: usize) -> Result<()> {
    let (files, calls) = (TcpListener::bind(FREE).await?, TcpListener::bind(FREE).await?);
    let (port, grpc_port) = (files.local_addr()?.port(), calls.local_addr()?.port());
    // It binds them itself.
    drop((files, calls));
    let config = ExecutorProcessConfig { port, grpc_port, scheduler_port, vcores, ..Default::default() };
    Ok(start_executor_process(Arc::new(config)).await?)
}

const FREE: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "an example that measures")]
async fn query(port: &str, sql: &str) -> Result<()> {
    let begin = Instant::now();
    let state = SessionState::new_ballista_state(format!("http://localhost:{port}"))?;
    let context = SessionContext::new_with_state(state).enable_url_table();
    let mut rows = context.sql(sql).await?.execute_stream().await?;
    let mut out = WriterBuilder::new().with_header(true).build(BufWriter::new(stdout().lock()));
    let mut count = 0;
    while let Some(batch) = rows.try_next().await? {
        out.write(&batch)?;
        count += batch.num_rows();
    }
    out.into_inner().flush()?;
    eprintln!("{:.3} s: {count} rows", begin.elapsed().as_secs_f64());
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
