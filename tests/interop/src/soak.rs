use anyhow::ensure;
use cardoon_interop::fleet::{self, Loss};
use cardoon_interop::{Lab, Side, Version};
use clap::Args;

/// The counts of a soak.
#[derive(Args)]
pub(crate) struct Soak {
    /// Kills of each side's workers, for each version of Celery.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Soak {
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        println!("| Celery | killed | kills | tasks | lost | of these held back for 1 h | second runs |");
        println!("|---|---|---|---|---|---|---|");
        let mut ours = 0;
        for version in Version::ALL {
            for killed in [Side::Ours, Side::Theirs] {
                let lab = Lab::open(&std::env::current_exe()?, version).await?;
                let options = fleet::Options { killed, kills: self.kills, seed: self.seed };
                let loss = fleet::run(&lab, options).await?;
                println!("{}", row(&loss));
                ours += if killed == Side::Ours { loss.lost.len() } else { 0 };
            }
        }
        ensure!(ours == 0, "{ours} tasks were lost when our workers were killed");
        Ok(())
    }
}

fn row(loss: &Loss) -> String {
    let Loss { version, kills, tasks, held_back, second_runs, .. } = loss;
    let killed = if loss.killed == Side::Ours { "ours" } else { "theirs" };
    format!(
        "| {version} | {killed} | {kills} | {tasks} | {} | {held_back} | {second_runs} |",
        loss.lost.len()
    )
}
