//! Brings the engine, its services and the executors together on a thread of their own.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{ConsumeSpec, Consumer, Settle};
use cardoon_core::{BootInstant, EventKind};
use cardoon_errors::{Code, Error, Result};
use cardoon_results::BeginRun;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::claimer::Claimer;
use crate::directory::{Directory, Question};
use crate::engine::{Command, Config, Engine, Event, Now, Ticket};
use crate::events::Announcer;
use crate::executors::{Executors, Kit};
use crate::gate::Gate;
use crate::heartbeat::Heartbeat;
use crate::inbox::Inbox;
use crate::intake::Intake;
use crate::progress::{self, Board};
use crate::registrar::Registrar;
use crate::settler::Settler;
use crate::sweeper::Sweeper;
use crate::worker::Order;
use crate::{
    BoxFuture, ChildTask, Handler, Lane, Worker, WorkerBuilder, WorkerExit, WorkerHandle, orders, report,
    revokes,
};

/// Events that are taken in one step at most.
const BATCH: usize = 512;

/// How long children may take to end when nothing is left to do.
const CHILDREN_END: Duration = Duration::from_secs(1);

/// How long services may take to end when the worker has.
const SERVICES_END: Duration = Duration::from_secs(2);

/// How long the store may take to let the worker go.
const LEAVE_PATIENCE: Duration = Duration::from_secs(5);

/// Joins the consumers and works until the worker is told to stop.
pub(crate) async fn run(worker: Worker, orders: watch::Receiver<Order>) -> Result<WorkerExit> {
    let _stop = StopWhenDropped(worker.handle());
    let intake = Arc::new(Intake::new(worker.tasks, worker.setup.limits));
    let clock = worker.setup.clock.clone();
    let joined_at = clock.boot();
    let consumer = worker.setup.broker.consume(spec(&worker.setup, &intake)).await?;
    let start_before = joined_at.plus(worker.setup.terms.lease);
    let services = Supervisor::new();
    let site = Site { intake, consumer: Arc::clone(&consumer), start_before, home: Handle::current() };
    let (done, ended) = oneshot::channel();
    let engine_services = services.clone();
    services
        .spawn_thread(ServiceKind::Engine, move |_| {
            let exit = work(&worker.setup, &site, orders, &engine_services);
            let _ = done.send(exit);
            Ok(())
        })
        .map_err(|error| Error::new(Code::Internal, "cannot start the worker's thread").source(error))?;
    let exit = ended.await.unwrap_or_else(|_| Err(Error::new(Code::Internal, "the worker's thread died")));
    leave(&*consumer, &clock).await;
    services.shut_down(SERVICES_END).await;
    exit
}

/// Says goodbye to the store, unless it does not answer: others find out by themselves.
async fn leave(consumer: &dyn Consumer, clock: &Clock) {
    tokio::select! {
        left = consumer.close() => if let Err(error) = left {
            tracing::warn!(%error, "the worker could not say that it leaves; others will find out");
        },
        () = clock.sleep(LEAVE_PATIENCE) => {
            tracing::warn!("the store does not answer to the worker's leaving; others will find out");
        }
    }
}

/// Where an engine works.
struct Site {
    intake: Arc<Intake>,
    consumer: Arc<dyn Consumer>,
    start_before: BootInstant,
    home: Handle,
}

/// A worker whose future is dropped hands everything back.
struct StopWhenDropped(WorkerHandle);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn spec(setup: &WorkerBuilder, intake: &Intake) -> ConsumeSpec {
    ConsumeSpec {
        worker: setup.name.clone(),
        queues: setup.queues.clone(),
        tasks: intake.names(),
        slots: setup.concurrency,
        terms: setup.terms,
    }
}

/// Runs the engine on this thread until it has finished.
fn work(
    setup: &WorkerBuilder,
    site: &Site,
    orders: watch::Receiver<Order>,
    services: &Supervisor,
) -> Result<WorkerExit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Code::Internal, "cannot start the worker's runtime").source(error))?;
    let exit = runtime.block_on(async { Driver::start(setup, site, services)?.drive(orders).await });
    services.stop();
    runtime.shutdown_background();
    exit
}

/// Carries events to the engine and its commands to those who obey them.
struct Driver {
    engine: Engine,
    executors: Executors,
    lines: Lines,
    announcer: Announcer,
    timer: Timer,
    clock: Clock,
    events: mpsc::UnboundedReceiver<Event>,
    inbox: Inbox,
    stopping: CancellationToken,
    /// A claim that waits until what it brings can begin.
    put_off: Option<usize>,
    /// A worker that drains because a service has failed keeps its leases until it ends.
    _ended: DropGuard,
}

/// The ways to the services.
struct Lines {
    credits: Option<mpsc::UnboundedSender<usize>>,
    verdicts: mpsc::UnboundedSender<(Ticket, Settle)>,
    runs: mpsc::UnboundedSender<(Ticket, BeginRun)>,
    questions: mpsc::UnboundedSender<Question>,
}

impl Driver {
    fn start(setup: &WorkerBuilder, site: &Site, services: &Supervisor) -> Result<Self> {
        let (inbox, events) = Inbox::new();
        let clock = setup.clock.clone();
        let worker: Arc<str> = setup.name.as_str().into();
        let gate = Arc::new(Gate::new(clock.clone(), site.start_before));
        let board = Board::default();
        let announcer = Announcer {
            broker: Arc::clone(&setup.broker),
            worker: Arc::clone(&worker),
            always: setup.events,
            clock: clock.clone(),
        };
        let ended = CancellationToken::new();
        start_heartbeat(setup, site, &gate, &announcer, &inbox, services, ended.clone())?;
        start_watchers(setup, site, &board, &announcer, &inbox, services);
        let kit = Kit {
            worker: Arc::clone(&worker),
            consumer: Arc::clone(&site.consumer),
            states: Arc::new(setup.states.clone()),
            gate,
            board,
            clock: clock.clone(),
            inbox: inbox.clone(),
        };
        let config = Config {
            worker,
            slots: setup.concurrency as usize,
            autoscale: setup.autoscale,
            grace: setup.grace,
            recall: setup.recall,
            max_result_bytes: setup.limits.max_bytes,
            reads_ahead: reads_ahead(setup),
        };
        let executors = executors(setup, kit, site, services)?;
        Ok(Self {
            lines: Lines::open(setup, site, &inbox, services),
            engine: Engine::new(config, site.start_before),
            executors,
            timer: Timer::default(),
            stopping: services.stopping(),
            put_off: None,
            _ended: ended.drop_guard(),
            announcer,
            clock,
            events,
            inbox,
        })
    }

    async fn drive(mut self, mut orders: watch::Receiver<Order>) -> Result<WorkerExit> {
        self.announcer.tell(EventKind::WorkerOnline);
        orders.mark_changed();
        let mut batch = Vec::with_capacity(BATCH);
        let mut failing = false;
        loop {
            if let Some(exit) = self.step(&mut batch) {
                self.announcer.tell(EventKind::WorkerOffline);
                self.executors.close(CHILDREN_END).await;
                return self.inbox.fatal().map_or(Ok(exit), Err);
            }
            tokio::select! {
                biased;
                _ = self.events.recv_many(&mut batch, BATCH) => {}
                Ok(()) = orders.changed() => batch.extend(ordered(*orders.borrow_and_update())),
                () = self.stopping.cancelled(), if !failing => {
                    failing = true;
                    self.inbox.fail(Error::new(Code::Internal, "a service of the worker has failed"));
                }
                () = self.executors.ready(), if self.put_off.is_some() => {
                    let max = self.put_off.take().unwrap_or_default();
                    self.claim(max);
                }
                () = self.timer.rings() => {}
            }
        }
    }

    /// Takes a batch of events and carries out what the engine decides.
    fn step(&mut self, batch: &mut Vec<Event>) -> Option<WorkerExit> {
        let now = Now { wall: self.clock.now(), boot: self.clock.boot() };
        self.engine.watch(self.announcer.is_watched());
        for event in batch.drain(..) {
            if let Event::Ended { ticket, .. } = &event {
                self.executors.forget(*ticket);
            }
            self.engine.apply(event, now);
        }
        self.engine.advance(now);
        let mut exit = None;
        for command in self.engine.take_commands() {
            exit = exit.or(self.obey(command));
        }
        self.executors.flush();
        self.announcer.emit(self.engine.take_happenings(now));
        self.timer.set(self.engine.next_deadline(now), now.boot, &self.clock);
        exit
    }

    fn claim(&mut self, max: usize) {
        if !self.executors.is_ready() {
            self.put_off = Some(max);
        } else if let Some(credits) = &self.lines.credits {
            // Without a claimer the worker is stopping.
            let _ = credits.send(max);
        }
    }

    /// A line whose service has ended leads nowhere; the worker is stopping then.
    fn obey(&mut self, command: Command) -> Option<WorkerExit> {
        let lines = &mut self.lines;
        match command {
            Command::Claim(max) => self.claim(max),
            Command::StopClaiming => {
                lines.credits = None;
                self.put_off = None;
                self.executors.drain();
            }
            Command::LookUp { ticket, queue, task } => {
                let _ = lines.questions.send(Question { ticket, queue, task });
            }
            Command::Begin { ticket, id, attempt } => {
                let _ = lines.runs.send((ticket, BeginRun { id, attempt }));
            }
            Command::Settle { ticket, settle, trace } => {
                report::say_end(&settle, trace.as_deref());
                let _ = lines.verdicts.send((ticket, *settle));
            }
            Command::Start(start) => self.executors.start(start),
            Command::Cancel { ticket, reason } => self.executors.cancel(ticket, reason),
            Command::Abort(ticket) => self.executors.abort(ticket),
            Command::CallOff(ticket) => {
                let begun = !self.executors.call_off(ticket);
                self.inbox.send(Event::CalledOff { ticket, begun });
            }
            Command::Resize(slots) => self.executors.resize(slots),
            Command::Finish(exit) => return Some(exit),
        }
        None
    }
}

fn executors(setup: &WorkerBuilder, kit: Kit, site: &Site, services: &Supervisor) -> Result<Executors> {
    #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "nothing more is started elsewhere"))]
    let mut executors = Executors::new(kit, site.home.clone(), setup.concurrency as usize, setup.child_start);
    #[cfg(target_os = "linux")]
    if let Some(mut prepared) = setup.children.take() {
        prepared.set_max_result(setup.limits.max_bytes);
        executors.start_children(prepared, services)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = services;
    Ok(executors)
}

/// Only children whose main thread runs one task after the other keep some waiting.
fn reads_ahead(setup: &WorkerBuilder) -> bool {
    setup
        .tasks
        .iter()
        .any(|task| matches!(task.handler, Handler::Child(ChildTask { lane: Lane::Process, .. })))
}

impl Lines {
    fn open(setup: &WorkerBuilder, site: &Site, inbox: &Inbox, services: &Supervisor) -> Self {
        let (credits, credit_queue) = mpsc::unbounded_channel();
        let (verdicts, verdict_queue) = mpsc::unbounded_channel();
        let (runs, run_queue) = mpsc::unbounded_channel();
        let (questions, question_queue) = mpsc::unbounded_channel();
        let clock = &setup.clock;
        let settler = Settler {
            consumer: Arc::clone(&site.consumer),
            broker: Arc::clone(&setup.broker),
            results: Arc::clone(&setup.results),
            joined: setup.joined,
            clock: clock.clone(),
            inbox: inbox.clone(),
        };
        let claimer = Claimer {
            consumer: Arc::clone(&site.consumer),
            intake: Arc::clone(&site.intake),
            clock: clock.clone(),
            inbox: inbox.clone(),
        };
        let registrar =
            Registrar { results: Arc::clone(&setup.results), clock: clock.clone(), inbox: inbox.clone() };
        let directory = Directory {
            broker: Arc::clone(&setup.broker),
            consumer: Arc::clone(&site.consumer),
            inbox: inbox.clone(),
        };
        services.spawn(ServiceKind::Settler, settler.run(verdict_queue));
        services.spawn(ServiceKind::Claimer, claimer.run(credit_queue));
        services.spawn(ServiceKind::Settler, registrar.run(run_queue));
        services.spawn(ServiceKind::Rescuer, directory.run(question_queue));
        Self { credits: Some(credits), verdicts, runs, questions }
    }
}

fn start_heartbeat(
    setup: &WorkerBuilder,
    site: &Site,
    gate: &Arc<Gate>,
    announcer: &Announcer,
    inbox: &Inbox,
    services: &Supervisor,
    ended: CancellationToken,
) -> Result<()> {
    let heartbeat = Heartbeat {
        consumer: Arc::clone(&site.consumer),
        every: setup.terms.heartbeat,
        gate: Arc::clone(gate),
        clock: setup.clock.clone(),
        announcer: announcer.clone(),
        inbox: inbox.clone(),
    };
    services
        .spawn_thread(ServiceKind::Heartbeat, move |_| heartbeat.run(&ended))
        .map_err(|error| Error::new(Code::Internal, "cannot start the heartbeat's thread").source(error))?;
    Ok(())
}

fn start_watchers(
    setup: &WorkerBuilder,
    site: &Site,
    board: &Board,
    announcer: &Announcer,
    inbox: &Inbox,
    services: &Supervisor,
) {
    let sweeper = Sweeper {
        consumer: Arc::clone(&site.consumer),
        results: Arc::clone(&setup.results),
        joined: setup.joined,
        clock: setup.clock.clone(),
        announcer: announcer.clone(),
    };
    let revokes = revokes::listen(Arc::clone(&site.consumer), setup.clock.clone(), inbox.clone());
    let orders = orders::listen(Arc::clone(&site.consumer), setup.clock.clone(), inbox.clone());
    let results = Arc::clone(&setup.results);
    let progress = progress::publish(board.clone(), results, announcer.clone(), setup.clock.clone());
    services.spawn(ServiceKind::Rescuer, sweeper.run());
    services.spawn(ServiceKind::RevokeListener, revokes);
    services.spawn(ServiceKind::OrderListener, orders);
    services.spawn(ServiceKind::EventWriter, progress);
}

fn ordered(order: Order) -> Option<Event> {
    match order {
        Order::Run => None,
        Order::Drain => Some(Event::Drain),
        Order::Stop => Some(Event::Stop),
    }
}

/// One timer for the engine's next deadline. It may ring early, never late.
#[derive(Default)]
struct Timer {
    armed: Option<(BootInstant, BoxFuture<'static, ()>)>,
}

impl Timer {
    /// A later deadline leaves an earlier timer alone: deadlines move with every task, timers need not.
    fn set(&mut self, deadline: Option<BootInstant>, now: BootInstant, clock: &Clock) {
        let Some(deadline) = deadline else { return self.armed = None };
        if self.armed.as_ref().is_some_and(|(at, _)| *at <= deadline && *at > now) {
            return;
        }
        let (clock, pause) = (clock.clone(), deadline.since(now));
        self.armed = Some((deadline, Box::pin(async move { clock.sleep(pause).await })));
    }

    async fn rings(&mut self) {
        match &mut self.armed {
            Some((_, sleep)) => sleep.await,
            None => std::future::pending().await,
        }
        self.armed = None;
    }
}
