//! `cargo run --release -p cardoon-faults -- soak`: the drills with their full counts.

use std::path::PathBuf;
use std::time::Duration;

use cardoon_drills::demo;
use cardoon_faults::drills::disk::{self, Fault};
use cardoon_faults::{WorkerSpec, helpers, serve};
use clap::{Parser, Subcommand};

mod soak;

#[derive(Parser)]
#[command(about = "Fault drills with real worker processes")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every drill with its full count and print a table.
    Soak(soak::Soak),
    /// Be a worker of a drill.
    #[command(hide = true)]
    Worker { spec: String },
    /// Be a worker of the mail demo.
    #[command(hide = true)]
    MailWorker { folder: PathBuf, name: String },
    /// Run a drill that mounts a small disk, and print its outcome as JSON.
    #[command(hide = true)]
    Disk { fault: Fault },
    /// Hold the write lock of a database.
    #[command(hide = true)]
    HoldLock { database: PathBuf, seconds: f64 },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Soak(soak) => soak.run().await,
        Command::Worker { spec } => serve(serde_json::from_str::<WorkerSpec>(&spec)?).await,
        Command::MailWorker { folder, name } => Ok(demo::mail_worker(&folder, &name).await?),
        Command::Disk { fault } => print_disk(fault).await,
        Command::HoldLock { database, seconds } => {
            helpers::hold_lock(&database, Duration::try_from_secs_f64(seconds)?).await
        }
    }
}

#[expect(clippy::print_stdout, reason = "the drill that started this process reads it")]
async fn print_disk(fault: Fault) -> anyhow::Result<()> {
    let outcome = disk::run_here(&std::env::current_exe()?, fault).await?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}
