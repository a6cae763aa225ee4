//! The faults themselves: real worker processes under load, killed, paused, restarted and cut off.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use cardoon_core::{BootInstant, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Random;
use tokio::net::{TcpStream, ToSocketAddrs};

use super::evidence::{Evidence, Tally};
use super::faults::report;
use super::fleet::{Fleet, PATIENCE};
use super::node::Spec;
use super::work::{self, Job};
use super::{Fault, Faults, Plan, Progress, Round, Site, Skipped, Work, place, tidy};
use crate::{FaultProxy, WorkerProcess};

/// Tasks take so many times as long as those of the efficiency measure, so that a fault meets some that run.
pub(super) const LONGER: u64 = 4;
/// Tasks of a round for each slot.
pub(super) const EACH_SLOT: u32 = 3;
/// How long it may take until a worker executes something.
const FIRST: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(5);

pub(super) async fn measure(
    site: &Site,
    plan: &Plan,
    work: &Work,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Faults> {
    let proxy = proxy(site).await?;
    let urls = proxy.as_ref().ok().map(|proxy| place::moved(&site.urls, proxy.address().port()));
    let urls = urls.unwrap_or_else(|| site.urls.clone());
    let job = Job::of(work, plan.task_ms * LONGER, plan.early);
    let fleet = Fleet::start(site, work, urls, plan.workers, plan.slots).await?;
    let random = Random::from_seed(plan.seed);
    let mut drill =
        Drill { site, plan, work, job, fleet, random, cut: proxy.as_ref().ok(), tally: Tally::default() };
    let (mut rounds, mut skipped) = (Vec::new(), BTreeSet::new());
    for fault in script(plan, proxy.is_ok()) {
        match drill.round(fault, rounds.len()).await? {
            Some(round) => rounds.push(round),
            None => drop(skipped.insert(Skipped::TooShort)),
        }
        progress(Progress::Step);
    }
    let Drill { tally, fleet, .. } = drill;
    fleet.stop().await?;
    skipped.extend(proxy.err());
    Ok(report(plan, work, rounds, tally, skipped.into_iter().collect()))
}

/// The faults in the order in which they happen.
fn script(plan: &Plan, can_cut: bool) -> Vec<Fault> {
    let cuts = if can_cut { plan.cuts } else { 0 };
    let all = [
        (Fault::Kill, plan.kills),
        (Fault::Pause, plan.pauses),
        (Fault::Restart, plan.restarts),
        (Fault::Cut, cuts),
    ];
    all.into_iter().flat_map(|(fault, times)| (0..times).map(move |_| fault)).collect()
}

/// A proxy between the workers and the server, or why there is none.
async fn proxy(site: &Site) -> Result<Result<FaultProxy, Skipped>> {
    if !site.urls.broker.contains("://") || site.urls.broker.starts_with("sqlite") {
        return Ok(Err(Skipped::NoConnections));
    }
    let Some((host, port)) = place::server(&site.urls.broker) else { return Ok(Err(Skipped::NoProxy)) };
    match reached((host.as_str(), port)).await {
        Some(address) => FaultProxy::start(address, site.clock.clone()).await.map(Ok),
        None => Ok(Err(Skipped::NoProxy)),
    }
}

/// The first address of a server that it listens on: of the names of this machine often only one is.
async fn reached(server: impl ToSocketAddrs) -> Option<SocketAddr> {
    TcpStream::connect(server).await.ok()?.peer_addr().ok()
}

struct Drill<'a> {
    site: &'a Site,
    plan: &'a Plan,
    work: &'a Work,
    job: Job,
    fleet: Fleet<'a>,
    random: Random,
    cut: Option<&'a FaultProxy>,
    tally: Tally,
}

impl<'a> Drill<'a> {
    /// `None` if all tasks have ended before the fault could meet one.
    async fn round(&mut self, fault: Fault, number: usize) -> Result<Option<Round>> {
        // The one that took a killed worker's place may still be on its way.
        self.fleet.ready().await?;
        let evidence = Evidence::of(self.site, self.work, self.fleet.witness());
        let victim = number % self.fleet.workers.len();
        let count = self.plan.workers * self.plan.slots * EACH_SLOT;
        let ids = self.job.send(self.site, count).await?;
        if !self.until_running(&evidence, victim, &ids).await? {
            return evidence.tally(&ids).await.map(|_| None);
        }
        self.site.clock.sleep(Duration::from_millis(self.random.below(self.plan.task_ms * LONGER))).await;
        let (running, second_run_ms) = match fault {
            Fault::Kill => self.kill(&evidence, victim).await?,
            living => (self.trouble(&evidence, living, victim).await?, Vec::new()),
        };
        work::until_over(&mut self.fleet, &evidence, &ids).await?;
        let tally = evidence.tally(&ids).await?;
        self.add(tally);
        let Tally { lost, second_runs, .. } = tally;
        Ok(Some(Round { fault, sent: ids.len() as u64, lost, second_runs, running, second_run_ms }))
    }

    fn add(&mut self, round: Tally) {
        self.tally.executed += round.executed;
        self.tally.lost += round.lost;
        self.tally.failed += round.failed;
        self.tally.duplicates += round.duplicates;
    }

    /// Waits until the worker executes something. Answers whether it does: not if all tasks have ended meanwhile.
    async fn until_running(
        &mut self,
        evidence: &Evidence<'a>,
        victim: usize,
        ids: &[TaskId],
    ) -> Result<bool> {
        let end = self.site.clock.boot().plus(FIRST);
        while evidence.running_on(&self.fleet.workers[victim]).await?.is_empty() {
            if evidence.ended(ids).await? == ids.len() {
                return Ok(false);
            }
            self.fleet.check()?;
            if self.site.clock.boot() > end {
                return Err(self.fleet.workers[victim].failed("it executes nothing"));
            }
            self.site.clock.sleep(LOOK).await;
        }
        Ok(true)
    }

    /// Kills the worker and follows what it was executing. Answers how many that were, and when each began again.
    async fn kill(&mut self, evidence: &Evidence<'a>, victim: usize) -> Result<(u64, Vec<u64>)> {
        // A store can tell what a worker executes only while it is alive.
        let before = evidence.running_on(&self.fleet.workers[victim]).await?;
        let killed_at = self.fleet.workers[victim].kill_and_wait().await?;
        let running = match self.work {
            Work::BuiltIn => evidence.running_on(&self.fleet.workers[victim]).await?,
            Work::Own(_) => before,
        };
        let dead = self.fleet.put_away(victim)?;
        let again = self.begin_again(evidence, &running, &dead, killed_at).await?;
        Ok((running.len() as u64, again))
    }

    /// Waits until all of `running` have begun elsewhere, or nothing is left that could.
    async fn begin_again(
        &mut self,
        evidence: &Evidence<'a>,
        running: &HashSet<TaskId>,
        dead: &WorkerProcess,
        killed_at: BootInstant,
    ) -> Result<Vec<u64>> {
        let mut begun = BTreeMap::new();
        let end = self.site.clock.boot().plus(FIRST);
        while begun.len() < running.len() && self.site.clock.boot() < end {
            for (id, at) in evidence.begun_elsewhere(running, dead, killed_at).await? {
                begun.entry(id).or_insert(at);
            }
            let quiet = self.site.clock.boot().since(killed_at) > Duration::from_secs(5);
            if quiet && tidy::is_empty(self.site.stores(), &self.site.queue).await? {
                break;
            }
            self.fleet.check()?;
            self.site.clock.sleep(LOOK).await;
        }
        Ok(begun.into_values().map(|at| at.since(killed_at).as_millis() as u64).collect())
    }

    /// What a worker has to keep its tasks through. Answers how many it was executing.
    async fn trouble(&mut self, evidence: &Evidence<'a>, fault: Fault, victim: usize) -> Result<u64> {
        let running = evidence.running_on(&self.fleet.workers[victim]).await?.len() as u64;
        match (fault, self.cut) {
            (Fault::Pause, _) => self.pause(victim).await?,
            (Fault::Restart, _) => {
                self.fleet.workers[victim].stop(PATIENCE).await?;
                self.fleet.replace(victim).await?;
            }
            (Fault::Cut, Some(proxy)) => proxy.cut(),
            (Fault::Cut | Fault::Kill, _) => {
                return Err(Error::new(Code::Internal, "this fault is no trouble of a living worker"));
            }
        }
        Ok(running)
    }

    async fn pause(&self, victim: usize) -> Result<()> {
        let pause = Spec::Pause { pid: self.fleet.workers[victim].pid(), millis: self.plan.pause_ms };
        let mut process = self.site.start("pause", &pause)?;
        let status = process.wait(PATIENCE).await?;
        if status.success() { Ok(()) } else { Err(process.failed("it did not pause a worker")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_no_connections_to_cut() {
        let plan = Plan::quick();
        assert!(script(&plan, true).contains(&Fault::Cut) && !script(&plan, false).contains(&Fault::Cut));
    }

    #[tokio::test]
    async fn of_several_addresses_the_one_that_is_listened_on_is_the_servers() {
        let refusing = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        assert_eq!(reached(&[refusing, address][..]).await, Some(address));
        assert_eq!(reached(&[refusing][..]).await, None);
    }
}
