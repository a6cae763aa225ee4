//! What goes into the engine and what comes out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Delivery, Settle, Settled};
use cardoon_core::{BootInstant, Lease, Message, QueueName, RunNumber, TaskId, Timestamp, TraceContext};
use cardoon_errors::Error;
use cardoon_protocol::{Incoming, Undecodable};
use cardoon_results::Begun;

use crate::{CancelReason, TaskDefinition, TaskError, WorkerExit};

/// The engine's own name for a delivery that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What an engine needs to know from the start.
#[derive(Debug, Clone)]
pub struct Config {
    /// The worker's name, for records and events.
    pub worker: Arc<str>,
    pub slots: usize,
    /// The least and the most slots, if their number follows the load.
    pub autoscale: Option<(usize, usize)>,
    /// How long a draining worker waits for running tasks.
    pub grace: Duration,
    /// How long deliveries wait behind busy slots before they are handed back.
    pub recall: Duration,
    /// Bytes of the largest return value.
    pub max_result_bytes: usize,
    /// Whether executors keep short runs waiting close to their slots, so that a slot never waits for the engine.
    pub reads_ahead: bool,
}

/// Both clocks, read once for a batch of events.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    pub wall: Timestamp,
    pub boot: BootInstant,
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The claim that [`Command::Claim`] asked for has been answered.
    Claimed(Vec<Arrival>),
    /// Whether a live worker knows the task, for [`Command::LookUp`].
    LookedUp {
        ticket: Ticket,
        known: bool,
    },
    /// A run has registered, for [`Command::Begin`].
    Begun {
        ticket: Ticket,
        begun: Begun,
    },
    /// The store refuses to register a run, for [`Command::Begin`].
    NotBegun(Ticket),
    /// User code of a run with a time limit has begun.
    Began(Ticket),
    /// A run has ended. `jitter` is drawn evenly from `[0, 1)`; `ran` is how long user code ran, if its executor knows it
    /// better than the engine.
    Ended {
        ticket: Ticket,
        outcome: Outcome,
        jitter: f64,
        ran: Option<Duration>,
    },
    /// Whether user code had begun when it was called off, for [`Command::CallOff`].
    CalledOff {
        ticket: Ticket,
        begun: bool,
    },
    /// Verdicts were stored, or never will be.
    Settled(Vec<(Ticket, Answer)>),
    Revoked(Vec<TaskId>),
    /// The leases were renewed: deliveries may be started before this time.
    Beat(BootInstant),
    /// Finish what runs, take nothing new.
    Drain,
    /// Hand back everything at once.
    Stop,
}

/// A delivery, as far as it was understood.
#[derive(Debug)]
pub struct Arrival {
    pub delivery: Delivery,
    pub content: Content,
}

/// What a delivery's message says.
#[derive(Debug)]
pub enum Content {
    Undecodable(Undecodable),
    /// No task of this worker has its name.
    Unknown {
        task: String,
        expires: Option<Timestamp>,
        eta: Option<Timestamp>,
    },
    Known {
        task: Arc<KnownTask>,
        call: Arc<Incoming>,
    },
}

/// A task of this worker.
#[derive(Debug)]
pub struct KnownTask {
    pub name: Arc<str>,
    pub definition: TaskDefinition,
}

/// How a run ended.
#[derive(Debug)]
pub enum Outcome {
    /// The return value as JSON.
    Succeeded(Bytes),
    Failed(TaskError),
    /// The task asked that nothing be recorded of it.
    Ignored,
    /// The task refused its message, which goes back to its queue or to the dead letters; why, in words.
    Rejected {
        requeue: bool,
        why: String,
    },
    /// User code has not begun: the lease did not allow it any more, or it was called off.
    NotStarted,
    /// There was no thread or process for it, or that was not ready in time; why, in words. User code has not begun.
    CannotStart(String),
    /// It was ended by [`Command::Abort`].
    Aborted,
    /// The child process that executed it died; how, in words.
    ChildDied(String),
}

/// The store's answer to a verdict.
#[derive(Debug, Clone)]
pub enum Answer {
    Settled(Settled),
    /// The store refused it for good, and the delivery is still held.
    Refused(Error),
}

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Take up to this many deliveries. Only one claim is under way at a time.
    Claim(usize),
    /// Give up the claim that is under way, if there is one.
    StopClaiming,
    /// Ask whether a live worker of this queue knows the task.
    LookUp {
        ticket: Ticket,
        queue: QueueName,
        task: String,
    },
    /// Register a run.
    Begin {
        ticket: Ticket,
        id: TaskId,
        attempt: u32,
    },
    Start(Box<Start>),
    /// Tell a running task to stop.
    Cancel {
        ticket: Ticket,
        reason: CancelReason,
    },
    /// End a running task by force, if it can be. User code that has not begun does not begin.
    Abort(Ticket),
    /// Keep user code from beginning, and say whether it has begun.
    CallOff(Ticket),
    /// Store a verdict. Answered by [`Event::Settled`].
    Settle {
        ticket: Ticket,
        settle: Box<Settle>,
        /// The task's trace, for the log.
        trace: Option<Arc<TraceContext>>,
    },
    /// There are to be so many slots from now on.
    Resize(usize),
    /// Nothing is left to do.
    Finish(WorkerExit),
}

/// A run that begins.
#[derive(Debug)]
pub struct Start {
    pub ticket: Ticket,
    pub lease: Lease,
    /// When its claim was asked for: the lease is not older.
    pub since: BootInstant,
    pub task: Arc<KnownTask>,
    pub call: Arc<Incoming>,
    pub id: TaskId,
    pub queue: QueueName,
    pub attempt: u32,
    pub run: RunNumber,
    pub redelivered: bool,
    pub soft_time_limit: Option<Duration>,
    pub time_limit: Option<Duration>,
    /// The message as it came, for a task that runs in another process.
    pub message: Option<Message>,
}

impl Start {
    pub fn has_limits(&self) -> bool {
        self.soft_time_limit.is_some() || self.time_limit.is_some()
    }
}
