//! An engine that is driven by hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{Delivery, Settle};
use cardoon_core::{
    BootInstant, Lease, Message, Priority, QueueName, Signature, SignatureOptions, TaskId, Timestamp,
};
use cardoon_errors::{Code, Error};
use cardoon_protocol::Limits;

use crate::engine::{
    Answer, Arrival, Command, Config, Content, Engine, Event, KnownTask, Now, Outcome, Ticket,
};
use crate::{CancelReason, Handler, TaskDefinition, TaskError, TaskOptions, WorkerExit};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) const LEASE: Duration = Duration::from_secs(15);

/// An engine, its clocks, and what it has said so far.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: Now,
    pub(super) said: Vec<Command>,
    pub(super) deliveries: u64,
}

impl Bench {
    pub(super) fn new(slots: usize) -> Self {
        Self::of_config(slots, None)
    }

    /// An engine whose slots follow the load.
    pub(super) fn scaling(least: usize, most: usize) -> Self {
        Self::of_config(least, Some((least, most)))
    }

    fn of_config(slots: usize, autoscale: Option<(usize, usize)>) -> Self {
        let config = Config {
            worker: "w".into(),
            slots,
            autoscale,
            grace: 25 * SECOND,
            recall: Duration::from_millis(100),
            max_result_bytes: 100,
            reads_ahead: false,
        };
        let now = Now { wall: Timestamp(1_000_000), boot: BootInstant(50_000) };
        let engine = Engine::new(config, now.boot.plus(LEASE));
        let mut bench = Self { engine, now, said: Vec::new(), deliveries: 0 };
        bench.advance();
        bench
    }

    pub(super) fn apply(&mut self, event: Event) {
        self.engine.apply(event, self.now);
        self.advance();
    }

    pub(super) fn advance(&mut self) {
        self.engine.advance(self.now);
        self.said.extend(self.engine.take_commands());
    }

    pub(super) fn wait(&mut self, time: Duration) {
        self.now = Now { wall: self.now.wall.plus(time), boot: self.now.boot.plus(time) };
        self.advance();
    }

    pub(super) fn happenings(&mut self) -> Vec<cardoon_core::Event> {
        self.engine.take_happenings(self.now)
    }

    pub(super) fn beat(&mut self) {
        self.apply(Event::Beat(self.now.boot.plus(LEASE)));
    }

    pub(super) fn deliver(&mut self, arrivals: Vec<Arrival>) {
        self.apply(Event::Claimed(arrivals));
    }

    pub(super) fn plain(&mut self) -> Arrival {
        self.of(TaskOptions::default())
    }

    pub(super) fn of(&mut self, options: TaskOptions) -> Arrival {
        let task = KnownTask { name: "t".into(), definition: definition(options) };
        self.arrival(Arc::new(task))
    }

    pub(super) fn arrival(&mut self, task: Arc<KnownTask>) -> Arrival {
        self.deliveries += 1;
        let delivery = delivery(self.deliveries);
        let call = cardoon_protocol::decode(&delivery.message, &Limits::default()).unwrap();
        Arrival { delivery, content: Content::Known { task, call: Arc::new(call) } }
    }

    pub(super) fn end(&mut self, ticket: Ticket, outcome: Outcome) {
        self.apply(Event::Ended { ticket, outcome, jitter: 0.5, ran: None });
    }

    pub(super) fn succeed(&mut self, ticket: Ticket) {
        self.end(ticket, Outcome::Succeeded(Bytes::from_static(b"1")));
    }

    pub(super) fn started(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Start(start) => Some(start.ticket),
            _ => None,
        })
    }

    pub(super) fn verdicts(&mut self) -> Vec<(Ticket, Settle)> {
        self.take(|command| match command {
            Command::Settle { ticket, settle, .. } => Some((*ticket, (**settle).clone())),
            _ => None,
        })
    }

    pub(super) fn verdict(&mut self) -> Settle {
        let mut verdicts = self.verdicts();
        assert_eq!(verdicts.len(), 1, "{verdicts:?}");
        verdicts.remove(0).1
    }

    pub(super) fn claims(&mut self) -> Vec<usize> {
        self.take(|command| match command {
            Command::Claim(max) => Some(*max),
            _ => None,
        })
    }

    pub(super) fn cancelled(&mut self) -> Vec<CancelReason> {
        self.take(|command| match command {
            Command::Cancel { reason, .. } => Some(*reason),
            _ => None,
        })
    }

    pub(super) fn aborted(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Abort(ticket) => Some(*ticket),
            _ => None,
        })
    }

    pub(super) fn begins(&mut self) -> Vec<Ticket> {
        self.take(|command| match command {
            Command::Begin { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }

    pub(super) fn finished(&mut self) -> Option<WorkerExit> {
        self.take(|command| match command {
            Command::Finish(exit) => Some(*exit),
            _ => None,
        })
        .pop()
    }

    pub(super) fn take<T>(&mut self, pick: impl Fn(&Command) -> Option<T>) -> Vec<T> {
        let (taken, kept): (Vec<Command>, _) =
            std::mem::take(&mut self.said).into_iter().partition(|it| pick(it).is_some());
        self.said = kept;
        taken.iter().filter_map(pick).collect()
    }

    pub(super) fn run_one(&mut self, arrival: Arrival) -> Ticket {
        self.deliver(vec![arrival]);
        let started = self.started();
        assert_eq!(started.len(), 1);
        started[0]
    }

    /// The store refuses the verdict for good.
    pub(super) fn refuse(&mut self, ticket: Ticket) {
        self.apply(Event::Settled(vec![(ticket, Answer::Refused(too_large()))]));
    }
}

pub(super) fn definition(options: TaskOptions) -> TaskDefinition {
    let handler = Handler::asynchronous(|_, _| async { Ok(Bytes::new()) });
    TaskDefinition { name: "t".into(), options, handler, parameters: Vec::new(), states: Vec::new() }
}

pub(super) fn blocking(options: TaskOptions) -> Arc<KnownTask> {
    let handler = Handler::blocking(|_, _| Ok(Bytes::new()));
    Arc::new(KnownTask { name: "t".into(), definition: TaskDefinition { handler, ..definition(options) } })
}

pub(super) fn delivery(number: u64) -> Delivery {
    let id = TaskId::new(format!("id-{number}")).unwrap();
    let signature = Signature {
        task: "t".into(),
        args: Bytes::from_static(b"[]"),
        kwargs: Bytes::from_static(b"{}"),
        options: SignatureOptions::default(),
    };
    let message: Message = cardoon_protocol::encode(&signature, id, "tests").unwrap();
    Delivery {
        lease: Lease { session: 1, sequence: number, tag: number },
        queue: QueueName::default(),
        message: Message { priority: Priority::default(), ..message },
        redelivered: false,
        resent: false,
        deaths: 0,
        revoked: false,
        outcome_unknown: false,
        enqueued_at: Timestamp(0),
    }
}

pub(super) fn limited(time_limit: Duration) -> TaskOptions {
    TaskOptions { time_limit: Some(time_limit), ..TaskOptions::default() }
}

pub(super) fn too_large() -> Error {
    Error::new(Code::TooLarge, "it does not fit")
}

pub(super) fn failed(kind: &str) -> Outcome {
    Outcome::Failed(TaskError::new(kind, "it broke"))
}

pub(super) fn set_eta(arrival: &mut Arrival, eta: Timestamp) {
    let Content::Known { call, .. } = &mut arrival.content else { panic!("it is known") };
    Arc::get_mut(call).unwrap().eta = Some(eta);
}
