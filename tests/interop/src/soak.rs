use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use cardoon_interop::fleet::{self, Loss};
use cardoon_interop::{Lab, Side, Version};
use clap::Args;

const BEGIN: &str = "<!-- fleets: begin -->";
const END: &str = "<!-- fleets: end -->";
const HEADING: &str = "| Celery | killed | kills | tasks | lost | of these held back for 1 h | second runs |
|---|---|---|---|---|---|---|
";

/// The counts of a soak.
#[derive(Args)]
pub(crate) struct Soak {
    /// Kills of each side's workers, for each version of Celery.
    #[arg(long, default_value_t = 20)]
    kills: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write the table between the marks in this file, such as docs/reliability.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

impl Soak {
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        let mut table = HEADING.to_owned();
        let mut ours = 0;
        for version in Version::ALL {
            for killed in [Side::Ours, Side::Theirs] {
                let lab = Lab::open(&std::env::current_exe()?, version).await?;
                let options = fleet::Options { killed, kills: self.kills, seed: self.seed };
                let loss = fleet::run(&lab, options).await?;
                println!("{loss}");
                table += &row(&loss);
                ours += if killed == Side::Ours { loss.lost.len() } else { 0 };
            }
        }
        if let Some(path) = &self.write {
            write_between_marks(path, &table)?;
        }
        ensure!(ours == 0, "{ours} tasks were lost when our workers were killed");
        Ok(())
    }
}

fn row(loss: &Loss) -> String {
    let Loss { version, kills, tasks, held_back, second_runs, .. } = loss;
    let killed = if loss.killed == Side::Ours { "ours" } else { "theirs" };
    let count = loss.lost.len();
    format!("| {version} | {killed} | {kills} | {tasks} | {count} | {held_back} | {second_runs} |\n")
}

fn write_between_marks(path: &Path, table: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (head, rest) = page.split_once(BEGIN).with_context(|| format!("{} lacks {BEGIN}", path.display()))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("{} lacks {END}", path.display()))?;
    Ok(std::fs::write(path, format!("{head}{BEGIN}\n{table}{END}{tail}"))?)
}
