use std::net::SocketAddr;

use cardoon_cluster::{Scheduler, SchedulerSettings};
use cardoon_errors::Result;

use super::options::{self, Secret};
use crate::{rows, talk};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Where to listen; port 0 means a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8787")]
    bind: SocketAddr,
    #[command(flatten)]
    secret: Secret,
}

/// Schedules until it is told to stop. Its address goes to standard output.
pub(crate) async fn run(options: Options) -> Result<()> {
    let settings = SchedulerSettings { bind: options.bind, token: options.secret.token()? };
    let scheduler = Scheduler::bind(settings).await?;
    let address = scheduler.address();
    talk::say(
        format!("the scheduler listens at {address}; executors: {}", options::executor_command(address)),
        format!("调度器监听 {address}；执行器请运行：{}", options::executor_command(address)),
    );
    rows::text(&format!("tcp://{address}"))?;
    scheduler.serve().await
}
