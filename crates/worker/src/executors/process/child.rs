//! The child's side: serves its worker until the socket closes, then ends the process.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream as Socket;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Bytes, BytesMut};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use futures_util::FutureExt;
use tokio::sync::mpsc;

use super::frame::{self, Order, Parcel, Word};
use crate::engine::{Content, KnownTask, Outcome};
use crate::executors::run::outcome;
use crate::intake::Intake;
use crate::progress::{Board, Runner};
use crate::{ContextParts, Handler, States, TaskContext, TaskError, Worker, WorkerExit};

/// What the child's parts share.
#[derive(Clone)]
struct Link {
    socket: Arc<Mutex<Socket>>,
    /// The run that the worker can cancel: it does so only when it has heard that user code begins.
    running: Arc<Mutex<Option<TaskContext>>>,
}

struct Server {
    link: Link,
    intake: Intake,
    states: Arc<States>,
    board: Board,
    clock: Clock,
    max_result_bytes: usize,
}

/// Executes what the worker sends, one task at a time.
pub(crate) async fn serve_parent(worker: Worker) -> Result<WorkerExit> {
    let socket = take_socket().map_err(no_socket)?;
    let reader = socket.try_clone().map_err(no_socket)?;
    let link = Link { socket: Arc::new(Mutex::new(socket)), running: Arc::default() };
    let services = Supervisor::new();
    let (orders, mut parcels) = mpsc::unbounded_channel();
    let listening = link.clone();
    services
        .spawn_thread(ServiceKind::Connection, move |_| {
            listening.listen(reader, &orders);
            leave()
        })
        .map_err(no_socket)?;
    let server = Server::new(worker, link);
    services.spawn(ServiceKind::EventWriter, server.tell_progress());
    server.link.say(&Word::Ready, &[]);
    while let Some((parcel, bytes)) = parcels.recv().await {
        let outcome = server.execute(&parcel, bytes).await;
        server.answer(outcome);
    }
    Ok(WorkerExit::Drained)
}

impl Link {
    /// Reads orders until the worker is gone. On a thread of its own: a task that blocks the runtime must still
    /// hear that it is cancelled, and must not outlive its worker.
    fn listen(&self, mut socket: Socket, parcels: &mpsc::UnboundedSender<(Box<Parcel>, Bytes)>) {
        let mut buffer = BytesMut::new();
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = socket.read(&mut chunk) {
            buffer.extend_from_slice(&chunk[..count]);
            while let Ok(Some((order, bytes))) = frame::decode(&mut buffer) {
                match order {
                    Order::Run(parcel) => drop(parcels.send((parcel, bytes))),
                    Order::Cancel(reason) => {
                        if let Some(context) = self.running().as_ref() {
                            context.cancel(reason);
                        }
                    }
                }
            }
        }
    }

    fn say(&self, word: &Word, bytes: &[&[u8]]) {
        let Ok(frame) = frame::encode(word, bytes) else { return };
        // A worker that cannot be told is gone; the listening thread ends the process.
        let _ = self.socket.lock().unwrap_or_else(PoisonError::into_inner).write_all(&frame);
    }

    fn running(&self) -> std::sync::MutexGuard<'_, Option<TaskContext>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    fn new(worker: Worker, link: Link) -> Self {
        let setup = worker.setup;
        Self {
            link,
            max_result_bytes: setup.limits.max_bytes,
            intake: Intake::new(worker.tasks, setup.limits),
            states: Arc::new(setup.states),
            board: Board::default(),
            clock: setup.clock,
        }
    }

    async fn execute(&self, parcel: &Parcel, bytes: Bytes) -> Outcome {
        let message = parcel.unpack(bytes);
        let (task, call) = match self.intake.understand(&message) {
            Content::Known { task, call } => (task, call),
            Content::Unknown { task, .. } => {
                let text = format!("the child process knows no task named {task}");
                return Outcome::Failed(TaskError::new("UnknownTask", text));
            }
            Content::Undecodable(why) => return Outcome::Failed(TaskError::new("BadMessage", why.detail)),
        };
        let context = self.context(parcel, &task, &call);
        *self.link.running() = Some(context.clone());
        self.link.say(&Word::Began, &[]);
        context.begin();
        let arguments = call.arguments.clone();
        let ended = match task.definition.handler.clone() {
            Handler::Async(handler) => outcome(
                AssertUnwindSafe(async move { handler(context, arguments).await }).catch_unwind().await,
            ),
            Handler::Blocking(handler) => {
                let call = tokio::task::spawn_blocking(move || handler(context, arguments)).await;
                outcome(call.map_err(|error| match error.try_into_panic() {
                    Ok(panic) => panic,
                    Err(error) => Box::new(error.to_string()),
                }))
            }
            Handler::Child(_) => Outcome::Failed(no_children()),
        };
        *self.link.running() = None;
        ended
    }

    fn answer(&self, outcome: Outcome) {
        match outcome {
            Outcome::Succeeded(value) if value.len() > self.max_result_bytes => {
                let error = TaskError::result_too_large(value.len(), self.max_result_bytes);
                self.link.say(&Word::Failed(error), &[]);
            }
            Outcome::Succeeded(value) => self.link.say(&Word::Succeeded, &[&value]),
            Outcome::Failed(error) => self.link.say(&Word::Failed(error), &[]),
            Outcome::NotStarted
            | Outcome::CannotStart(_)
            | Outcome::Aborted
            | Outcome::ChildDied(_)
            | Outcome::Ignored
            | Outcome::Rejected { .. } => {}
        }
    }

    fn context(&self, parcel: &Parcel, task: &KnownTask, call: &cardoon_protocol::Incoming) -> TaskContext {
        let options = &task.definition.options;
        let runner = Runner {
            id: parcel.id.clone(),
            run: parcel.run,
            task: Arc::clone(&task.name),
            queue: parcel.queue.clone(),
            attempt: parcel.attempt,
        };
        TaskContext::new(ContextParts {
            id: parcel.id.clone(),
            task: Arc::clone(&task.name),
            queue: parcel.queue.clone(),
            attempt: parcel.attempt,
            run: parcel.run,
            root_id: call.root_id.clone(),
            parent_id: call.parent_id.clone(),
            trace: call.trace.clone(),
            soft_time_limit: call.soft_time_limit.or(options.soft_time_limit),
            time_limit: call.time_limit.or(options.time_limit),
            states: Arc::clone(&self.states),
            clock: self.clock.clone(),
            progress: self.board.sink(runner),
        })
    }

    /// Sends progress to the worker, the last of each moment.
    fn tell_progress(&self) -> impl Future<Output = Result<()>> + Send + use<> {
        let (board, clock, link) = (self.board.clone(), self.clock.clone(), self.link.clone());
        async move {
            loop {
                for (Runner { id, run, .. }, progress) in board.next(&clock).await {
                    link.say(&Word::Progress { id, run, progress }, &[]);
                }
                board.pause(&clock).await;
            }
        }
    }
}

/// Takes the socket out of standard input, so that what the task starts cannot read from it.
fn take_socket() -> io::Result<Socket> {
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(socket.into())
}

fn no_socket(error: io::Error) -> Error {
    Error::new(Code::NoIsolation, "the connection to the worker cannot be used").source(error)
}

#[expect(clippy::exit, reason = "whatever its task does, a child without a worker has to end")]
fn leave() -> ! {
    std::process::exit(0)
}

/// A process that was started for one task has no children of its own.
fn no_children() -> TaskError {
    TaskError::fatal("NotStarted", "this process has no children that could run the task")
}
