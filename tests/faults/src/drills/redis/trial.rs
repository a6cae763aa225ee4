//! Two workers bear a trouble while tasks run and more are sent: nothing is lost, nothing runs twice, both go on soon.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use cardoon_core::{BootInstant, TaskId};
use cardoon_drills::{FaultProxy, WorkerProcess};
use cardoon_errors::Applied;
use cardoon_testkit::{AppendOnly, RedisOptions};

use super::load::Load;
use super::trouble::{Span, Trouble};
use crate::lab::PATIENCE;
use crate::{Lab, Outcome, Plant, tasks};

/// Each worker has room for more than the tasks that run from before the trouble until after it, wherever they run.
pub(super) const SLOTS: u32 = 20;
pub(super) const LONG: usize = 10;
const RETRY: Duration = Duration::from_millis(20);
/// Both workers take tasks again this soon after the trouble.
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);
/// Longer than that, so that a worker which is back first leaves some for the other.
const PROBE: Duration = Duration::from_secs(6);
/// What Redis may lose with `appendfsync everysec`, by its own account.
const EVERY_SECOND_LOSES: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub trouble: Trouble,
    pub append_only: AppendOnly,
    pub plant: Option<Plant>,
}

impl Options {
    pub fn new(trouble: Trouble) -> Self {
        Self { trouble, append_only: AppendOnly::No, plant: None }
    }
}

pub async fn run(program: &Path, options: Options) -> anyhow::Result<Outcome> {
    let mut trial = Trial::start(program, options).await?;
    let long = trial.burden().await?;
    let span = trial.endure().await?;
    let probes = probe(&trial.lab).await?;
    trial.judge(&[long, probes].concat(), span).await
}

struct Trial {
    lab: Lab,
    options: Options,
    /// One before each worker.
    lines: Vec<FaultProxy>,
    workers: Vec<WorkerProcess>,
    load: Load,
}

impl Trial {
    async fn start(program: &Path, options: Options) -> anyhow::Result<Self> {
        let server = RedisOptions::default().append_only(options.append_only);
        let mut lab = Lab::on_redis(program, server).await?;
        if options.trouble == Trouble::Failover {
            lab.add_replica().await?;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, lab.redis()?.port()));
        let (mut lines, mut workers) = (Vec::new(), Vec::new());
        for name in ["worker-1", "worker-2"] {
            let line = FaultProxy::start(address, lab.clock.clone()).await?;
            let spec = lab.spec(name).slots(SLOTS).plant(options.plant).url(url(&line));
            workers.push(lab.start(&spec).await?);
            lines.push(line);
        }
        if options.trouble == Trouble::Failover {
            // The sender has to follow the server too.
            lab.reconnect_to(&url(&lines[0])).await?;
        }
        let load = Load::new(lab.stores.broker.clone(), lab.clock.clone());
        Ok(Self { lab, options, lines, workers, load })
    }

    /// Tasks that run from before the trouble until after it.
    async fn burden(&self) -> anyhow::Result<Vec<TaskId>> {
        let duration = self.options.trouble.lasts() + Duration::from_secs(3);
        let ids = self.lab.send(tasks::WORK, LONG, duration).await?;
        self.lab.until("the long tasks run", |testimony| testimony.starts().count() >= LONG).await?;
        Ok(ids)
    }

    async fn endure(&mut self) -> anyhow::Result<Span> {
        let Self { lab, options, lines, load, .. } = self;
        load.until(options.trouble.happen(lab, lines)).await?
    }

    async fn judge(mut self, certain: &[TaskId], span: Span) -> anyhow::Result<Outcome> {
        let safe = |at: BootInstant| {
            let told = self.options.append_only == AppendOnly::EverySecond && at < span.over;
            !told || span.began.since(at) > EVERY_SECOND_LOSES
        };
        let acknowledged =
            self.load.acknowledged.iter().filter(|(_, at)| safe(*at)).map(|(id, _)| id.clone());
        let ids: Vec<_> = certain.iter().cloned().chain(acknowledged).collect();
        let ended = self.lab.until_ended(&ids).await?;
        let mut outcome =
            Outcome::new(format!("{:?}, appendonly {:?}", self.options.trouble, self.options.append_only));
        outcome.figure("tasks acknowledged", ids.len());
        outcome.expect("lost", ended.len(), 0);
        outcome.expect("second runs", self.lab.testimony()?.count(&ids).second_runs, 0);
        if ended.is_empty() {
            outcome.expect("without a result", self.lab.until_recorded(&ids).await?, 0);
        }
        judge_recovery(&self.lab, &self.workers, span.over, &mut outcome)?;
        self.judge_words(&mut outcome);
        for worker in &mut self.workers {
            outcome.require(worker.ended().is_none(), format!("a worker ended: {}", worker.stderr()));
        }
        Ok(outcome)
    }

    /// A sender is told what is wrong, and so is who reads a worker's log.
    fn judge_words(&self, outcome: &mut Outcome) {
        outcome.figure("refused to the sender", self.load.refused.len());
        for error in &self.load.refused {
            let code = error.code().to_string();
            outcome.require(
                error.was_applied() != Applied::Yes,
                format!("an error that was applied: {error:?}"),
            );
            let wanted = self.options.trouble.refuses_with().unwrap_or("CD1");
            outcome.require(code.starts_with(wanted), format!("expected {wanted}, got {error:?}"));
        }
        if self.options.trouble.refuses_with().is_some() {
            outcome.require(!self.load.refused.is_empty(), "nothing was refused to the sender");
        }
        if let Some(wanted) = self.options.trouble.worker_tells() {
            let told = self.workers.iter().any(|worker| worker.stderr().contains(wanted));
            let logs: Vec<_> = self.workers.iter().map(WorkerProcess::stderr).collect();
            outcome.require(told, format!("no worker says {wanted}: {logs:?}"));
        }
    }
}

/// Sends more tasks than one worker can take, as soon as the server takes them.
pub(super) async fn probe(lab: &Lab) -> anyhow::Result<Vec<TaskId>> {
    let end = lab.clock.boot().plus(PATIENCE);
    loop {
        let sent = lab.send(tasks::WORK, SLOTS as usize + LONG, PROBE).await;
        if sent.is_ok() || lab.clock.boot() > end {
            return sent;
        }
        lab.clock.sleep(RETRY).await;
    }
}

/// Each worker has to take tasks again soon after the trouble was over.
pub(super) fn judge_recovery(
    lab: &Lab,
    workers: &[WorkerProcess],
    over: BootInstant,
    outcome: &mut Outcome,
) -> anyhow::Result<()> {
    let testimony = lab.testimony()?;
    let mut slowest = Duration::ZERO;
    for worker in workers {
        let starts = testimony.starts().filter(|start| start.pid == worker.pid() && start.at >= over);
        let first = starts.map(|start| start.at.since(over)).min();
        slowest = slowest.max(first.unwrap_or(Duration::MAX));
    }
    outcome.within("both work again after s", slowest, RECOVERED_WITHIN);
    Ok(())
}

fn url(line: &FaultProxy) -> String {
    format!("redis://{}/0", line.address())
}
