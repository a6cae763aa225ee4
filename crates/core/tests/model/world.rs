//! A small system: one task, two workers, a sender that may send again, a broker and a result store.
//!
//! Every step is atomic for the store that takes it, and anything may happen between two steps. Bounds: one copy sent
//! again, one retry, one delivery handed back by choice, two losses of a worker, early acknowledgement or not.

use cardoon_core::rescue::{Loss, Lost, POISON_DEATHS, Rescue, UserCode};
use cardoon_core::run::{self, Begin, Finish, RunEnd, RunNumber, RunRecord};
use cardoon_core::settle::{Closing, Decision, Fate, Held, ReleaseCause, Verdict};
use cardoon_core::{DeadReason, Lease, Timestamp};

use crate::rules::{Rules, Start};

const WORKERS: usize = 2;
const LOSSES: u8 = 2;
/// Deliveries handed back by choice; without a bound, run numbers would grow for ever.
const HAND_BACKS: u8 = 1;
const RETRIES: u32 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Stores {
    /// Verdict, result and follow-ups are one step.
    Joined,
    /// Follow-ups, then the result, then the verdict.
    Separate,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the system")]
pub(crate) struct World {
    stores: Stores,
    early: bool,
    copies: Vec<Copy>,
    workers: [Worker; WORKERS],
    record: Option<RunRecord>,
    /// Whether a final result is stored.
    result: bool,
    dead: bool,
    /// The attempts whose user code has begun after an early acknowledgement.
    early_runs: Vec<u32>,
    sent: bool,
    sent_again: bool,
    losses: u8,
    handed_back: u8,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Copy {
    tag: u64,
    attempt: u32,
    register: bool,
    deaths: u32,
    unknown: bool,
    holder: Option<Holder>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Holder {
    lease: Lease,
    early: bool,
    /// What its holder has said of user code.
    code: UserCode,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Worker {
    job: Option<Job>,
}

/// What a worker knows of the delivery that it works on.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the run")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Job {
    lease: Lease,
    attempt: u32,
    register: bool,
    /// It only records an end: an unknown outcome or three deaths.
    ends_as_dead: Option<bool>,
    step: Step,
    run: RunNumber,
    retry: bool,
    /// Its lease lapsed once: from then on others may rescue it.
    lapsed: bool,
    /// It was not the current run when it asked.
    stale: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    Claimed,
    Registered,
    AcknowledgedEarly,
    /// It has said that user code begins.
    Marked,
    /// It has looked whether it may, and not said so.
    Looked,
    Running,
    /// User code is over; nothing is written.
    Ended,
    /// It was told that its run is current.
    Asked,
    FollowedUp,
    Recorded,
    /// The result store says that another run is current.
    Refused,
    /// Nothing to execute: the task has ended or gone on.
    Discard,
}

type Next = Result<World, String>;

impl World {
    pub(crate) fn new(stores: Stores, early: bool) -> Self {
        Self {
            stores,
            early,
            copies: Vec::new(),
            workers: Default::default(),
            record: None,
            result: false,
            dead: false,
            early_runs: Vec::new(),
            sent: false,
            sent_again: false,
            losses: 0,
            handed_back: 0,
        }
    }

    /// The task has ended, and nothing of it is left in the queue.
    pub(crate) fn is_over(&self) -> bool {
        self.copies.is_empty() && (self.result || self.dead)
    }

    /// Each event that can happen now, and what it leads to.
    pub(crate) fn steps(&self, rules: Rules) -> Vec<(String, Next)> {
        let mut steps = Vec::new();
        if !self.sent {
            steps.push(("the sender publishes the task".into(), Ok(self.publish(0, false))));
        }
        if self.sent && !self.sent_again {
            let mut again = self.publish(0, true);
            again.sent_again = true;
            steps.push(("the sender publishes the task again".into(), Ok(again)));
        }
        for worker in 0..WORKERS {
            self.fates_of_worker(worker, rules, &mut steps);
            match &self.workers[worker].job {
                None => self.claims(worker, &mut steps),
                Some(job) => self.work(worker, &job.clone(), rules, &mut steps),
            }
        }
        steps
    }

    /// What must hold in every state.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.sent && self.copies.is_empty() && !self.result && !self.dead {
            return Err("lost: the task is nowhere and has no result".into());
        }
        if self.record.is_some_and(|record| record.ended) && !self.result {
            return Err("the task counts as ended without a final result".into());
        }
        Ok(())
    }

    fn publish(&self, attempt: u32, resent: bool) -> Self {
        let mut world = self.clone();
        world.sent = true;
        // The queue holds a message of an attempt once.
        if !world.copies.iter().any(|copy| copy.attempt == attempt) {
            let tag = world.copies.iter().map(|copy| copy.tag).max().unwrap_or(0) + 1;
            let register = resent || attempt > 0;
            world.copies.push(Copy { tag, attempt, register, deaths: 0, unknown: false, holder: None });
        }
        world
    }

    fn claims(&self, worker: usize, steps: &mut Vec<(String, Next)>) {
        for (at, copy) in self.copies.iter().enumerate().filter(|(_, copy)| copy.holder.is_none()) {
            let mut world = self.clone();
            let lease = Lease { session: worker as u64, sequence: self.next_sequence(), tag: copy.tag };
            world.copies[at].holder = Some(Holder { lease, early: false, code: UserCode::NotBegun });
            let poison = copy.deaths >= POISON_DEATHS;
            world.workers[worker].job = Some(Job {
                lease,
                attempt: copy.attempt,
                register: copy.register,
                ends_as_dead: (poison || copy.unknown).then_some(poison),
                step: Step::Claimed,
                run: RunNumber::FIRST,
                retry: false,
                lapsed: false,
                stale: false,
            });
            steps.push((format!("worker {worker} claims attempt {}", copy.attempt), Ok(world)));
        }
    }

    /// A worker's next step with its delivery.
    fn work(&self, worker: usize, job: &Job, rules: Rules, steps: &mut Vec<(String, Next)>) {
        let mut add = |what: &str, next: Next| steps.push((format!("worker {worker} {what}"), next));
        match job.step {
            Step::Claimed if job.register => add("registers its run", self.register(worker, rules)),
            Step::Claimed | Step::Registered if job.ends_as_dead.is_some() => {
                add("has an end to record", Ok(self.at_step(worker, Step::Ended)));
            }
            Step::Claimed | Step::Registered if self.early => {
                add("acknowledges early", self.settle(worker, &Verdict::AckEarly, None, rules));
            }
            Step::Claimed | Step::Registered | Step::AcknowledgedEarly => {
                let (what, next) = self.begin(worker, rules);
                add(what, next);
                if self.handed_back < HAND_BACKS {
                    add("hands back unstarted", self.hand_back(worker, ReleaseCause::Unstarted, rules));
                }
            }
            Step::Marked if job.lapsed && rules.start == Start::MarkThenLook => {
                let release = Verdict::Release { cause: ReleaseCause::Unstarted };
                add("may not start and hands back", self.settle(worker, &release, None, rules));
            }
            Step::Marked | Step::Looked => add("starts user code", self.start(worker)),
            Step::Running => {
                let ended = self.marked(worker, Step::Ended, UserCode::Ended);
                add("ends user code well", Ok(ended.clone()));
                if job.attempt < RETRIES {
                    let mut failed = ended;
                    failed.job(worker).retry = true;
                    add("fails and wants a retry", Ok(failed));
                }
                if self.handed_back < HAND_BACKS {
                    add("hands back interrupted", self.hand_back(worker, ReleaseCause::Interrupted, rules));
                }
            }
            Step::Ended if self.stores == Stores::Joined => {
                add(
                    "settles all in one step",
                    self.settle(worker, &Self::last_verdict(job), Some(job.closing()), rules),
                );
            }
            Step::Ended if job.retry => {
                add("asks whether its run is current", Ok(self.ask(worker, job, rules)));
            }
            Step::Asked => add("stores its follow-ups", self.follow_up(worker, job)),
            Step::Ended | Step::FollowedUp => add("stores its result", self.store_result(worker, rules)),
            Step::Recorded => add("settles", self.settle(worker, &Self::last_verdict(job), None, rules)),
            Step::Refused => {
                let give_way = Verdict::GiveWay { until: Timestamp(0) };
                add("gives way with its stale run", self.settle(worker, &give_way, None, rules));
            }
            Step::Discard => add("acknowledges unexecuted", self.settle(worker, &Verdict::Ack, None, rules)),
        }
    }

    /// Silence, deaths and rescues. A pause is no event of its own: any worker may take its next step late.
    fn fates_of_worker(&self, worker: usize, rules: Rules, steps: &mut Vec<(String, Next)>) {
        let state = &self.workers[worker];
        if state.job.is_none() {
            return;
        }
        if state.job.as_ref().is_some_and(|job| job.lapsed) {
            // It may have gone on meanwhile: the rescuer looked before.
            steps.push((
                format!("worker {worker} is rescued as silent"),
                self.rescued(worker, Loss::Silent, rules),
            ));
        }
        if self.losses >= LOSSES {
            return;
        }
        let mut lost = self.clone();
        lost.losses += 1;
        let died = lost.rescued(worker, Loss::Died, rules).map(|mut world| {
            world.workers[worker] = Worker::default();
            world
        });
        steps.push((format!("worker {worker} dies and is rescued"), died));
        if !lost.job(worker).lapsed {
            lost.job(worker).lapsed = true;
            steps.push((format!("worker {worker} is silent for a lease"), Ok(lost)));
        }
    }

    fn rescued(&self, worker: usize, how: Loss, rules: Rules) -> Next {
        let mut world = self.clone();
        let Some(lease) = self.workers[worker].job.as_ref().map(|job| job.lease) else { return Ok(world) };
        let Some(at) = world.held(lease) else { return Ok(world) };
        let holder = world.copies[at].holder.take().ok_or("a held copy has a holder")?;
        let lost =
            Lost { loss: how, code: holder.code, early: holder.early, deaths: world.copies[at].deaths };
        match (rules.rescue)(lost) {
            None => drop(world.copies.remove(at)),
            Some(Rescue::Requeue { deaths }) => world.requeue(at, deaths, true),
            Some(Rescue::OutcomeUnknown) if holder.code == UserCode::NotBegun => {
                return Err("a task that has not begun ends with an unknown outcome".into());
            }
            Some(Rescue::OutcomeUnknown) => world.end_unknown(at),
            Some(Rescue::Bury(_)) if self.stores == Stores::Joined => world.end_unrun(at, true),
            Some(Rescue::Bury(_)) => world.requeue(at, POISON_DEATHS, true),
        }
        Ok(world)
    }

    fn register(&self, worker: usize, rules: Rules) -> Next {
        let mut world = self.clone();
        let job = world.workers[worker].job.clone().ok_or("a job registers")?;
        let before = world.record.unwrap_or_default().current;
        match (rules.begin)(world.record, job.attempt) {
            Begin::Run(record) if record.current <= before => {
                return Err(format!("run number {} does not grow", record.current));
            }
            Begin::Run(record) => {
                world.record = Some(record);
                world.job(worker).run = record.current;
                world.job(worker).step = Step::Registered;
                world.job(worker).register = false;
            }
            Begin::Ended | Begin::Superseded => world.job(worker).step = Step::Discard,
        }
        Ok(world)
    }

    /// What a worker does first to begin user code.
    fn begin(&self, worker: usize, rules: Rules) -> (&'static str, Next) {
        match rules.start {
            Start::MarkThenLook | Start::Mark => {
                ("says that user code begins", Ok(self.marked(worker, Step::Marked, UserCode::Running)))
            }
            Start::LookThenMark if self.workers[worker].job.as_ref().is_some_and(|job| job.lapsed) => {
                ("may not start and hands back", self.hand_back(worker, ReleaseCause::Unstarted, rules))
            }
            Start::LookThenMark => ("sees that it may start", Ok(self.at_step(worker, Step::Looked))),
        }
    }

    fn start(&self, worker: usize) -> Next {
        let mut world = self.marked(worker, Step::Running, UserCode::Running);
        let attempt = world.job(worker).attempt;
        if self.early {
            if self.early_runs.contains(&attempt) {
                return Err("a task that was acknowledged early is executed again".into());
            }
            world.early_runs.push(attempt);
        }
        Ok(world)
    }

    /// At this step, and with this said of user code to whoever will rescue it.
    fn marked(&self, worker: usize, step: Step, code: UserCode) -> Self {
        let mut world = self.at_step(worker, step);
        let lease = world.job(worker).lease;
        if let Some(at) = world.held(lease)
            && let Some(holder) = &mut world.copies[at].holder
        {
            holder.code = code;
        }
        world
    }

    fn ask(&self, worker: usize, job: &Job, rules: Rules) -> Self {
        let current = (rules.is_current)(self.record, job.run);
        let mut world = self.at_step(worker, if current { Step::Asked } else { Step::Refused });
        world.job(worker).stale = !run::is_current(self.record, job.run);
        world
    }

    fn follow_up(&self, worker: usize, job: &Job) -> Next {
        if job.stale {
            return Err("a run that was stale when it ended sends its retry".into());
        }
        let mut world = self.publish(job.attempt + 1, false);
        world.job(worker).step = Step::FollowedUp;
        Ok(world)
    }

    fn store_result(&self, worker: usize, rules: Rules) -> Next {
        let mut world = self.at_step(worker, Step::Recorded);
        let closing = world.job(worker).closing();
        match (rules.finish)(world.record, closing.run, closing.end) {
            Finish::Accept(record) => world.accept(record, closing)?,
            Finish::Stale => world.job(worker).step = Step::Refused,
        }
        Ok(world)
    }

    /// Stores a result that the rules let through.
    fn accept(&mut self, record: RunRecord, closing: Closing) -> Result<(), String> {
        let before = self.record.unwrap_or_default();
        if before.current != closing.run || before.ended {
            return Err(format!("a result of the stale run {} is accepted", closing.run));
        }
        self.record = Some(record);
        self.result |= closing.end == RunEnd::Final;
        Ok(())
    }

    fn settle(&self, worker: usize, verdict: &Verdict, closing: Option<Closing>, rules: Rules) -> Next {
        let mut world = self.clone();
        let job = world.workers[worker].job.clone().ok_or("a job settles")?;
        let at = world.copies.iter().position(|copy| copy.tag == job.lease.tag);
        let held = at.and_then(|at| world.copies[at].as_held());
        let decision = (rules.settle)(held, job.lease, verdict, closing, world.record);
        if decision != Decision::LeaseLost && world.held(job.lease).is_none() {
            return Err("a settle with an old lease counts".into());
        }
        match (decision, at) {
            (Decision::Apply { fate, record }, Some(at)) => {
                if let (Some(record), Some(closing)) = (record, closing) {
                    world.accept(record, closing)?;
                }
                world.apply(worker, at, fate);
                if closing.is_some() && job.retry {
                    world = world.publish(job.attempt + 1, false);
                }
            }
            (Decision::StaleRun { fate }, Some(at)) => world.apply(worker, at, fate),
            _ => {}
        }
        let keeps = world.held(job.lease).is_some();
        if keeps {
            world.job(worker).step = Step::AcknowledgedEarly;
        } else {
            world.workers[worker].job = None;
        }
        Ok(world)
    }

    fn hand_back(&self, worker: usize, cause: ReleaseCause, rules: Rules) -> Next {
        let mut world = self.settle(worker, &Verdict::Release { cause }, None, rules)?;
        world.handed_back += 1;
        Ok(world)
    }

    fn apply(&mut self, worker: usize, at: usize, fate: Fate) {
        match fate {
            Fate::Remove => drop(self.copies.remove(at)),
            Fate::KeepEarly => {
                if let Some(holder) = &mut self.copies[at].holder {
                    holder.early = true;
                }
                return;
            }
            Fate::Delay { redelivered, .. } => self.requeue(at, self.copies[at].deaths, redelivered),
            Fate::Requeue { deaths, redelivered } => self.requeue(at, deaths, redelivered),
            Fate::OutcomeUnknown => self.end_unknown(at),
            Fate::Bury(_) => {
                self.copies.remove(at);
                self.dead = true;
            }
        }
        self.workers[worker].job = None;
    }

    fn requeue(&mut self, at: usize, deaths: u32, redelivered: bool) {
        let copy = &mut self.copies[at];
        copy.holder = None;
        copy.deaths = deaths;
        copy.register |= redelivered;
    }

    /// Joined stores record the end at once, others hand it to a worker once more.
    fn end_unknown(&mut self, at: usize) {
        if self.stores == Stores::Joined {
            return self.end_unrun(at, false);
        }
        let deaths = self.copies[at].deaths;
        self.copies[at].unknown = true;
        self.requeue(at, deaths, true);
    }

    fn end_unrun(&mut self, at: usize, dead: bool) {
        let copy = self.copies.remove(at);
        if let Some(record) = run::end_unrun(self.record, copy.attempt) {
            self.record = Some(record);
            self.result = true;
        }
        self.dead |= dead;
    }

    fn last_verdict(job: &Job) -> Verdict {
        match job.ends_as_dead {
            Some(true) => Verdict::Dead { reason: DeadReason::Poison, detail: String::new() },
            _ => Verdict::Ack,
        }
    }

    fn held(&self, lease: Lease) -> Option<usize> {
        self.copies.iter().position(|copy| copy.holder.as_ref().is_some_and(|holder| holder.lease == lease))
    }

    fn at_step(&self, worker: usize, step: Step) -> Self {
        let mut world = self.clone();
        world.job(worker).step = step;
        world
    }

    fn job(&mut self, worker: usize) -> &mut Job {
        self.workers[worker].job.as_mut().expect("the worker has a delivery")
    }

    /// Larger than that of every lease that somebody still has in mind, and no larger, so that equal situations are
    /// one state.
    fn next_sequence(&self) -> u64 {
        let held = self.copies.iter().filter_map(|copy| copy.holder.as_ref()).map(|holder| holder.lease);
        let minded = self.workers.iter().filter_map(|worker| worker.job.as_ref()).map(|job| job.lease);
        held.chain(minded).map(|lease| lease.sequence).max().unwrap_or(0) + 1
    }
}

impl Copy {
    fn as_held(&self) -> Option<Held> {
        let holder = self.holder.as_ref()?;
        Some(Held { lease: holder.lease, early: holder.early, deaths: self.deaths })
    }
}

impl Job {
    fn closing(&self) -> Closing {
        let end = if self.retry { RunEnd::Retry } else { RunEnd::Final };
        Closing { run: self.run, end, gives_way_until: Timestamp(0) }
    }
}
