use async_trait::async_trait;
use cardoon_core::lease::LeaseTerms;
use cardoon_core::settle::{Closing, Verdict};
use cardoon_core::{BootInstant, Lease, Message, QueueName, ResultRecord, TaskId, Timestamp};
use cardoon_errors::Result;

use crate::{Order, Publish};

/// One worker's side of a broker. All methods may be called at the same time.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// The session that this consumer's leases carry.
    fn session(&self) -> u64;

    /// Takes up to `max` deliveries, leases included, in one step. Waits until there is at least one; it never
    /// polls for messages of our own producers. Cancel-safe: what a dropped call took, the next call returns.
    ///
    /// Due delayed messages are promoted on the way, and a waiting call wakes when one becomes due.
    async fn claim(&self, max: usize) -> Result<Vec<Delivery>>;

    /// Takes up to `max` delayed deliveries before their time, leases included, with the times at which they are due.
    /// Does not wait: empty if its queues have none. For those who move messages elsewhere; no worker needs it.
    ///
    /// One that goes back is ready at once, unless it goes back by [`Verdict::Defer`]. What a dropped call took goes
    /// back when the consumer leaves.
    async fn claim_delayed(&self, max: usize) -> Result<Vec<(Delivery, Timestamp)>>;

    /// Gives verdicts, with what must be stored along with them.
    async fn settle(&self, batch: Vec<Settle>) -> Vec<Result<Settled>>;

    /// Says that only others know this task of a queue: claims leave its messages where they wait, for 10 s, and take
    /// what is around them. It bounds how often a task goes to and fro between workers that do not know it, and is no
    /// promise: a claim that waits already may take them, and one that finds nothing else as far as it looks.
    fn leave_to_others(&self, queue: &QueueName, task: &str);

    /// Notes that user code of this lease begins, so that a rescuer can tell. Cheap, never waits.
    ///
    /// After it the caller looks once more whether the lease allows it: a rescuer that finds the lease lapsed, and
    /// then no note, may be sure that user code never begins.
    fn mark_started(&self, lease: Lease);

    /// Notes that user code of this lease has ended. A rescuer can tell that from not having begun.
    fn mark_ended(&self, lease: Lease);

    /// Renews all leases; called from a thread of its own every [`LeaseTerms::heartbeat`], and may block.
    /// Answers the time up to which deliveries may be started.
    fn heartbeat(&self) -> Result<BootInstant>;

    /// Looks for dead and silent consumers and puts back what they held; called every 0.25 s.
    async fn sweep(&self) -> Result<SweepReport>;

    /// Waits until deliveries of this consumer are revoked, and names them. Empty when the consumer is closed.
    async fn revoked(&self) -> Result<Vec<TaskId>>;

    /// Waits until this worker is given an order. `None` when the consumer is closed.
    async fn ordered(&self) -> Result<Option<Order>>;

    /// Leaves: hands back every delivery that is not settled, as unstarted unless it was marked.
    async fn close(&self) -> Result<()>;
}

/// Who wants to consume, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeSpec {
    /// The worker's name, for people.
    pub worker: String,
    /// Taken from in turn, so that none starves.
    pub queues: Vec<QueueName>,
    /// The names of the tasks that this worker knows, for those who ask whether anybody does.
    pub tasks: Vec<String>,
    /// How many tasks it executes at once, for people.
    pub slots: u32,
    pub terms: LeaseTerms,
}

/// One handing-over of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the delivery")]
pub struct Delivery {
    pub lease: Lease,
    pub queue: QueueName,
    pub message: Message,
    /// It was held before and user code may have begun then.
    pub redelivered: bool,
    /// Its sender was not sure and sent it again.
    pub resent: bool,
    /// Workers that died while they executed it.
    /// [`POISON_DEATHS`](cardoon_core::rescue::POISON_DEATHS) or more: it is not executed, but recorded as failed and
    /// sent to the dead letters.
    pub deaths: u32,
    /// It was revoked while it waited: it is not executed, but recorded as revoked.
    pub revoked: bool,
    /// It was acknowledged early and its worker was lost: it is not executed, but recorded as failed with an
    /// unknown outcome.
    pub outcome_unknown: bool,
    pub enqueued_at: Timestamp,
}

impl Delivery {
    /// Whether this may not be the task's first run, so that it must register before user code runs.
    pub fn must_register(&self) -> bool {
        self.redelivered || self.resent || self.message.attempt > 0
    }
}

/// A verdict and what is stored in the same step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settle {
    pub lease: Lease,
    pub verdict: Verdict,
    /// The result of the run, when the results are kept on the same store; else it was stored before.
    pub record: Option<ResultRecord>,
    /// Messages that follow from the run: the retry, later the next link of a chain.
    pub follow_ups: Vec<Publish>,
}

impl Settle {
    /// A verdict without a result.
    pub fn bare(lease: Lease, verdict: Verdict) -> Self {
        Self { lease, verdict, record: None, follow_ups: Vec::new() }
    }

    /// How this settle closes its run, for [`cardoon_core::settle::settle`].
    pub fn closing(&self) -> Option<Closing> {
        self.record.as_ref().map(ResultRecord::closing)
    }
}

/// The answer to a settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Done,
    /// The lease is not held any more: nothing was stored.
    LeaseLost,
    /// Another run is current: its result and follow-ups were refused. The delivery is gone if the task has ended, else
    /// it comes back later.
    StaleRun,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SweepReport {
    /// Names of the workers that were found dead or silent.
    pub lost_workers: Vec<String>,
    /// Tasks that went back to their queues.
    pub requeued: Vec<TaskId>,
    /// The ends of tasks that will not be executed again: poison, or an unknown outcome. A broker whose settle is
    /// atomic has stored them, with numbers of [`end_unrun`](cardoon_core::run::end_unrun). Another one leaves this
    /// empty and hands such tasks to a consumer once more, which records the end: a death between the removal and
    /// the record would lose the task.
    pub ended: Vec<ResultRecord>,
}
