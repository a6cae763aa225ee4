use std::time::Duration;

use cardoon_broker::Publish;
use cardoon_core::{Signature, SignatureOptions};
use cardoon_errors::Result;
use cardoon_runtime::{FineInstant, ids};
use serde::Serialize;

use super::evidence::Evidence;
use super::fleet::Fleet;
use super::node::WAIT;
use super::processors::Processors;
use super::work::{self, Job};
use super::{Plan, Progress, Site, Work};

/// From here on the slots are what limits: more of them would help.
const GOOD: f64 = 0.8;
/// Less is no pass for tasks that do nothing but wait.
const LEAST: f64 = 0.5;
/// Processors that are busier than this are what limits.
const BUSY: f64 = 0.85;
/// Messages that are stored one after the other, to see how long one takes.
const WRITES: u32 = 50;

/// One slot against several slots and workers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Efficiency {
    /// A task that waits, or the user's own.
    pub work: Series,
    /// A task that does nothing: what the store can do. Not measured with the user's own task.
    pub noop: Option<Series>,
    /// How long it takes to store one message as durably as the store can.
    pub write_ms: f64,
    pub processors: usize,
    /// Tasks that ended in another way than with success, which only the user's own can.
    pub failed: u64,
    /// Tasks that did not end.
    pub lost: u64,
    /// Whether the speed-up has to be half of the ideal: tasks that compute need processors, not slots.
    pub is_judged: bool,
}

/// The same tasks, with more and more slots.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    pub task: String,
    pub tasks: u32,
    /// How long each of them takes by itself, if that is known.
    pub task_ms: Option<u64>,
    pub runs: Vec<Run>,
    /// What limits the last run.
    pub limit: Limit,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    pub workers: u32,
    pub slots: u32,
    pub took_ms: u64,
    pub per_second: f64,
    /// Against one worker of one slot.
    pub speed_up: f64,
    /// As many as there are slots.
    pub ideal: f64,
    /// Speed-up divided by ideal.
    pub efficiency: f64,
    /// How busy all processors of this machine were, 0 to 1, by whatever; where the system tells.
    pub busy: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// More slots would make it faster.
    Slots,
    /// The store takes and gives no more messages a second.
    Store,
    /// No processor time is left.
    Processors,
    /// None of these.
    Unknown,
}

impl Efficiency {
    pub fn passed(&self) -> bool {
        let fast = self.work.runs.last().is_some_and(|run| run.efficiency >= LEAST);
        self.lost == 0 && self.failed == 0 && (fast || !self.is_judged)
    }
}

pub(super) async fn measure(
    site: &Site,
    plan: &Plan,
    work: &Work,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Efficiency> {
    let write_ms = time_of_a_write(site).await?;
    let bench = Bench { site, plan, work, progress };
    let noop = match work {
        Work::BuiltIn => Some(bench.series(0, plan.noops).await?),
        Work::Own(_) => None,
    };
    let own = bench.series(plan.task_ms, plan.tasks).await?;
    Ok(report(own, noop, write_ms))
}

/// Tasks that do nothing are measured beside all tasks but the user's own.
fn report(own: Timed, noop: Option<Timed>, write_ms: f64) -> Efficiency {
    let all = || noop.iter().chain([&own]);
    let (lost, failed) = (all().map(|timed| timed.lost).sum(), all().map(|timed| timed.failed).sum());
    let noop = noop.map(|noop| noop.finish(limit_of_noops));
    let rate = noop.as_ref().and_then(|noop| noop.runs.last()).map(|run| run.per_second);
    let work = own.finish(|run| limit_of_work(run, rate));
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let is_judged = noop.is_some();
    Efficiency { work, noop, write_ms, processors, failed, lost, is_judged }
}

fn limit_of_noops(run: &Run) -> Limit {
    if run.busy.is_some_and(|busy| busy >= BUSY) { Limit::Processors } else { Limit::Store }
}

/// `noops`: how many tasks that do nothing the same workers execute in a second.
fn limit_of_work(run: &Run, noops: Option<f64>) -> Limit {
    if run.efficiency >= GOOD {
        Limit::Slots
    } else if run.busy.is_some_and(|busy| busy >= BUSY) {
        Limit::Processors
    } else if noops.is_some_and(|noops| run.per_second >= noops / 2.0) {
        Limit::Store
    } else {
        Limit::Unknown
    }
}

struct Bench<'a> {
    site: &'a Site,
    plan: &'a Plan,
    work: &'a Work,
    progress: &'a (dyn Fn(Progress) + Sync),
}

/// A series before its limit is known.
pub(super) struct Timed {
    task: String,
    tasks: u32,
    task_ms: Option<u64>,
    runs: Vec<Run>,
    lost: u64,
    failed: u64,
}

impl Timed {
    pub(super) fn new(task: &str, tasks: u32, task_ms: Option<u64>) -> Self {
        Self { task: task.to_owned(), tasks, task_ms, runs: Vec::new(), lost: 0, failed: 0 }
    }

    pub(super) fn finish(self, limit: impl Fn(&Run) -> Limit) -> Series {
        let limit = self.runs.last().map_or(Limit::Unknown, limit);
        Series { task: self.task, tasks: self.tasks, task_ms: self.task_ms, runs: self.runs, limit }
    }

    /// Adds a run in which `executed` of the tasks came to their end.
    pub(super) fn add(
        &mut self,
        (workers, slots): (u32, u32),
        executed: u64,
        took: Duration,
        busy: Option<f64>,
    ) {
        // The clock counts milliseconds.
        let took_ms = (took.as_millis() as u64).max(1);
        let one_slot = self.runs.first().map_or(took_ms, |run| run.took_ms);
        let ideal = f64::from(workers * slots);
        let speed_up = one_slot as f64 / took_ms as f64;
        let per_second = executed as f64 * 1000.0 / took_ms as f64;
        self.runs.push(Run {
            workers,
            slots,
            took_ms,
            per_second,
            speed_up,
            ideal,
            efficiency: speed_up / ideal,
            busy,
        });
    }
}

impl Bench<'_> {
    async fn series(&self, millis: u64, tasks: u32) -> Result<Timed> {
        let job = Job::of(self.work, millis, self.plan.early);
        let (task, task_ms) = match &job {
            Job::Wait { millis, .. } => (WAIT, Some(*millis)),
            Job::Own(own) => (own.name.as_str(), None),
        };
        let mut timed = Timed::new(task, tasks, task_ms);
        let (all, slots) = (self.plan.workers, self.plan.slots);
        for (workers, slots) in [(1, 1), (1, slots), (all, slots)] {
            self.run(&job, workers, slots, &mut timed).await?;
            (self.progress)(Progress::Step);
        }
        Ok(timed)
    }

    /// The tasks wait in a paused queue until all workers are ready, so that they begin together.
    async fn run(&self, job: &Job, workers: u32, slots: u32, timed: &mut Timed) -> Result<()> {
        let Self { site, work, .. } = self;
        let control = site.stores().broker.control();
        control.pause(&site.queue).await?;
        let mut fleet = Fleet::start(site, work, site.urls.clone(), workers, slots).await?;
        let ids = job.send(site, timed.tasks).await?;
        let evidence = Evidence::of(site, work, fleet.witness());
        let (idle, begun) = (Processors::now(), site.clock.boot());
        control.resume(&site.queue).await?;
        work::until_over(&mut fleet, &evidence, &ids).await?;
        let busy = Processors::busy_since(idle);
        let (first, last) = evidence.span()?.unwrap_or((begun, site.clock.boot()));
        let tally = evidence.tally(&ids).await?;
        timed.lost += tally.lost;
        timed.failed += tally.failed;
        fleet.stop().await?;
        timed.add((workers, slots), tally.executed, last.since(first), busy);
        Ok(())
    }
}

/// The mean of some messages that are stored one after the other.
async fn time_of_a_write(site: &Site) -> Result<f64> {
    let broker = &site.stores().broker;
    broker.control().pause(&site.queue).await?;
    let begun = FineInstant::now();
    for _ in 0..WRITES {
        for answer in broker.publish(vec![message(site)?]).await {
            answer?;
        }
    }
    let took = FineInstant::now().since(begun);
    super::tidy::empty(site.stores(), &site.queue, &site.clock).await?;
    Ok(took.as_secs_f64() * 1000.0 / f64::from(WRITES))
}

fn message(site: &Site) -> Result<Publish> {
    let id = ids::task_id();
    site.will_send(std::slice::from_ref(&id));
    let signature = Signature {
        task: WAIT.to_owned(),
        args: bytes::Bytes::from_static(b"[0]"),
        kwargs: bytes::Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    let message = cardoon_protocol::encode(&signature, id, "cardoon-verify")?;
    Ok(Publish { queue: site.queue.clone(), message, not_before: None, resent: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(tooks: &[u64], busy: f64) -> Timed {
        let mut timed = Timed::new("t", 80, Some(50));
        for (took, (workers, slots)) in tooks.iter().zip([(1, 1), (1, 4), (2, 4)]) {
            timed.add((workers, slots), 80, Duration::from_millis(*took), Some(busy));
        }
        timed
    }

    #[test]
    fn the_speed_up_is_against_one_slot_and_its_ideal_is_the_slots() {
        let runs = timed(&[4000, 1000, 1000], 0.1).runs;
        assert!((runs[1].speed_up - 4.0).abs() < 1e-9 && (runs[1].efficiency - 1.0).abs() < 1e-9);
        assert!((runs[2].ideal - 8.0).abs() < 1e-9 && (runs[2].efficiency - 0.5).abs() < 1e-9);
        assert!((runs[0].per_second - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_limits_follows_from_what_was_measured() {
        let last = |tooks, busy| timed(tooks, busy).runs.pop().unwrap();
        assert_eq!(limit_of_work(&last(&[4000, 1000, 510], 0.1), Some(9000.0)), Limit::Slots);
        assert_eq!(limit_of_work(&last(&[4000, 1000, 1000], 0.95), Some(9000.0)), Limit::Processors);
        assert_eq!(limit_of_work(&last(&[4000, 1000, 1000], 0.3), Some(100.0)), Limit::Store);
        assert_eq!(limit_of_work(&last(&[4000, 1000, 1000], 0.3), Some(9000.0)), Limit::Unknown);
        assert_eq!(limit_of_work(&last(&[4000, 1000, 1000], 0.3), None), Limit::Unknown);
        assert_eq!(limit_of_noops(&last(&[40, 10, 10], 0.9)), Limit::Processors);
        assert_eq!(limit_of_noops(&last(&[40, 10, 10], 0.2)), Limit::Store);
    }

    #[test]
    fn tasks_that_do_nothing_are_missed_too() {
        let mut noop = timed(&[40, 10, 10], 0.1);
        noop.lost = 3;
        noop.add((2, 4), 77, Duration::from_secs(1), None);
        let efficiency = report(timed(&[4000, 1000, 510], 0.1), Some(noop), 1.0);
        assert_eq!((efficiency.lost, efficiency.passed()), (3, false));
        let last = &efficiency.noop.unwrap().runs[3];
        assert!((last.per_second - 77.0).abs() < 1e-9, "what was lost was not executed: {last:?}");
    }

    #[test]
    fn slots_that_bring_little_fail_only_what_does_nothing_but_wait() {
        let mut efficiency = Efficiency {
            work: timed(&[4000, 2000, 1100], 0.1).finish(|_| Limit::Unknown),
            noop: None,
            write_ms: 1.0,
            processors: 2,
            failed: 0,
            lost: 0,
            is_judged: true,
        };
        assert!(!efficiency.passed());
        efficiency.is_judged = false;
        assert!(efficiency.passed());
        efficiency.failed = 1;
        assert!(!efficiency.passed());
    }
}
