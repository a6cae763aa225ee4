//! `cargo run --release -p cardoon-interop -- soak`: mixed fleets with their full counts.

use cardoon_interop::{OurSpec, serve};
use clap::{Parser, Subcommand};

mod soak;

#[derive(Parser)]
#[command(about = "Cardoon beside real Celery")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Kill the workers of each side under load, for every version of Celery, and print a table.
    Soak(soak::Soak),
    /// Be a worker of ours.
    #[command(hide = true)]
    Worker { spec: String },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Soak(soak) => soak.run().await,
        Command::Worker { spec } => serve(serde_json::from_str::<OurSpec>(&spec)?).await,
    }
}
