use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use cardoon_faults::drills::false_rescue::Trouble;
use cardoon_faults::drills::redis::{self, accident, envelopes, ghost, sentinel, stopped, trial};
use cardoon_faults::drills::{
    broken_messages, deploy, disk, false_rescue, kills, shutdown, stale_runs, steps,
};
use cardoon_faults::{Outcome, Stage, StoreKind};
use cardoon_testkit::AppendOnly;
use clap::Args;

const BEGIN: &str = "<!-- soak: begin -->";
const END: &str = "<!-- soak: end -->";

/// The counts of a soak.
#[derive(Args)]
pub(crate) struct Soak {
    /// Kills of workers under load.
    #[arg(long, default_value_t = 100)]
    kills: u32,
    /// Pauses beyond the lease of 15 s.
    #[arg(long, default_value_t = 10)]
    pauses: u32,
    /// Times each step between taking and recording is interrupted.
    #[arg(long, default_value_t = 3)]
    steps: u32,
    /// Workers drained under load.
    #[arg(long, default_value_t = 50)]
    shutdowns: u32,
    /// Running tasks while workers are slowed down, paused, locked out or misled.
    #[arg(long, default_value_t = 100)]
    running: usize,
    /// Times each trouble happens to a Redis server or its connections.
    #[arg(long, default_value_t = 3)]
    troubles: u32,
    /// Workers that are stopped while they wait, and killed.
    #[arg(long, default_value_t = 20)]
    stops: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// On this store alone.
    #[arg(long)]
    store: Option<StoreKind>,
    /// Write the table between the marks in this file, such as docs/reliability.md.
    #[arg(long)]
    write: Option<PathBuf>,
}

impl Soak {
    #[expect(clippy::print_stdout, reason = "the table is what the command is for")]
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        let outcomes = self.outcomes().await?;
        let table = table(&self.heading(), &outcomes);
        println!("{table}");
        if let Some(path) = &self.write {
            write_between_marks(path, &table)?;
        }
        let broken = outcomes.iter().filter(|outcome| outcome.strict_verdict().is_err()).count();
        if broken > 0 {
            bail!("{broken} of {} drills found a broken promise", outcomes.len());
        }
        Ok(())
    }

    async fn outcomes(&self) -> anyhow::Result<Vec<Outcome>> {
        let program = std::env::current_exe()?;
        let mut outcomes = Vec::new();
        for store in StoreKind::ALL.into_iter().filter(|store| self.store.is_none_or(|only| only == *store)) {
            self.on(Stage { program: &program, store }, &mut outcomes).await;
            match store {
                StoreKind::Sqlite => self.on_sqlite(&program, &mut outcomes).await,
                StoreKind::Redis => self.on_redis(&program, &mut outcomes).await,
            }
        }
        Ok(outcomes)
    }

    async fn on_sqlite(&self, program: &Path, outcomes: &mut Vec<Outcome>) {
        for fault in [disk::Fault::Full, disk::Fault::Gone, disk::Fault::ReadOnly] {
            outcomes.push(told(StoreKind::Sqlite, "disk", disk::run(program, fault).await));
        }
    }

    async fn on_redis(&self, program: &Path, outcomes: &mut Vec<Outcome>) {
        let mut add = |drill: &str, done| outcomes.push(told(StoreKind::Redis, drill, done));
        for options in self.troubles_of_redis() {
            add("trial", trial::run(program, options).await);
        }
        for _ in 0..self.troubles {
            add("sentinel", sentinel::run(program, false).await);
            add("ghost", ghost::run(program, false).await);
        }
        add("envelopes", envelopes::run(program, None).await);
        add("stopped", stopped::run(program, stopped::Options { rounds: self.stops, plant: false }).await);
        add("accident", accident::run(program, Duration::from_secs(30), None).await);
    }

    /// The drills that every store has to pass.
    async fn on(&self, stage: Stage<'_>, outcomes: &mut Vec<Outcome>) {
        let lease = Duration::from_secs(15);
        let mut add = |drill: &str, done| outcomes.push(told(stage.store, drill, done));
        let kills = kills::Options { kills: self.kills, seed: self.seed, plant: None };
        add("kills", kills::run(stage, kills).await);
        let paused = stale_runs::Options { rounds: self.pauses, lease };
        add("stale_runs", stale_runs::run(stage, paused).await);
        for trouble in self.troubles(stage.store) {
            add("false_rescue", false_rescue::run(stage, trouble).await);
        }
        let short_lease = Duration::from_secs(2);
        let steps = steps::Options { rounds: self.steps, lease: short_lease, seed: self.seed };
        add("steps", steps::run(stage, steps).await);
        let shutdown = shutdown::Options { rounds: self.shutdowns, seed: self.seed };
        add("shutdown", shutdown::run(stage, shutdown).await);
        add("broken_messages", broken_messages::run(stage).await);
        add("deploy", deploy::run(stage).await);
        add("deploy/nobody_knows_it", deploy::nobody_knows_it(stage).await);
    }

    fn troubles(&self, store: StoreKind) -> [false_rescue::Options; 4] {
        let away = match store {
            StoreKind::Sqlite => Trouble::WriteLock(Duration::from_secs(10)),
            StoreKind::Redis => Trouble::ServerSleeps(Duration::from_secs(15)),
        };
        let pause = Trouble::Pause(Duration::from_secs(8));
        [Trouble::TenthOfCpu, pause, away, Trouble::ClockSteps].map(|trouble| false_rescue::Options {
            trouble,
            running: self.running,
            duration: Duration::from_secs(40),
        })
    }

    /// What happens to a server and to the network before it.
    fn troubles_of_redis(&self) -> Vec<trial::Options> {
        use redis::Trouble;
        let seconds = Duration::from_secs;
        let killed = Trouble::ServerKilled(seconds(3));
        let kept = [AppendOnly::Always, AppendOnly::EverySecond];
        let killed = kept.map(|append_only| trial::Options { append_only, ..trial::Options::new(killed) });
        let others = [
            Trouble::ServerSleeps(seconds(15)),
            Trouble::Reset,
            Trouble::CutOff(seconds(5)),
            Trouble::CutOff(seconds(30)),
            Trouble::OneCutOff(Duration::from_millis(1500)),
            Trouble::HalfOpen(seconds(8)),
            Trouble::Slow(Duration::from_millis(300)),
            Trouble::OneSlow(Duration::from_millis(300)),
            Trouble::OutOfMemory,
            Trouble::WrongType(redis::LIST),
            Trouble::WrongType("cardoon:delayed"),
            Trouble::WrongType("cardoon:beats"),
            Trouble::Forbidden("evalsha"),
            Trouble::Forbidden("hset"),
            Trouble::Forbidden("lpush"),
            Trouble::Forbidden("publish"),
            Trouble::Forbidden("hdel"),
            Trouble::Failover,
            Trouble::ScriptsForgotten,
        ];
        let rounds =
            (0..self.troubles).flat_map(|_| killed.into_iter().chain(others.map(trial::Options::new)));
        rounds.collect()
    }

    fn heading(&self) -> String {
        let Self { kills, pauses, steps, shutdowns, running, troubles, stops, seed, store, .. } = self;
        let flags = format!(
            "--kills {kills} --pauses {pauses} --steps {steps} --shutdowns {shutdowns} --running {running} \
             --troubles {troubles} --stops {stops} --seed {seed}"
        );
        let only = store.map(|store| format!(" --store {}", store.name().to_lowercase())).unwrap_or_default();
        let commit = git(&["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
        let changed = git(&["status", "--porcelain"]).is_some_and(|status| !status.is_empty());
        let changed = if changed { ", with changes" } else { "" };
        format!("`cargo run --release -p cardoon-faults -- soak {flags}{only}`, commit {commit}{changed}")
    }
}

/// Tells on the error stream how far the soak is.
#[expect(clippy::print_stderr, reason = "a soak takes long, and its reader wants to know how far it is")]
fn told(store: StoreKind, drill: &str, done: anyhow::Result<Outcome>) -> Outcome {
    let mut outcome = done.unwrap_or_else(|error| {
        let mut outcome = Outcome::new(drill);
        outcome.require(false, format!("not finished: {error:#}"));
        outcome
    });
    outcome.drill = format!("{}: {}", store.name(), outcome.drill);
    eprintln!("{outcome}");
    for broken in outcome.complaints() {
        eprintln!("  broken: {broken}");
    }
    outcome
}

fn table(heading: &str, outcomes: &[Outcome]) -> String {
    let rows: Vec<_> = outcomes.iter().map(row).collect();
    format!("{heading}\n\n| drill | figures | kept |\n|---|---|---|\n{}\n", rows.join("\n"))
}

fn row(outcome: &Outcome) -> String {
    let figures: Vec<_> = outcome.figures.iter().map(|(name, value)| format!("{name} {value}")).collect();
    let first_lines: Vec<_> = outcome.complaints().filter_map(|broken| broken.lines().next()).collect();
    let kept = if first_lines.is_empty() { "yes".to_owned() } else { first_lines.join("; ") };
    format!("| {} | {} | {kept} |", outcome.drill, figures.join(", "))
}

fn write_between_marks(path: &PathBuf, table: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let (head, rest) = page.split_once(BEGIN).with_context(|| format!("{} lacks {BEGIN}", path.display()))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("{} lacks {END}", path.display()))?;
    Ok(std::fs::write(path, format!("{head}{BEGIN}\n{table}{END}{tail}"))?)
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
