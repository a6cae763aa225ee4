//! Child processes that wait for their next task.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as Socket;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use cardoon_runtime::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

use super::frame::{self, Order, Word};
use super::{CHILD_OF, socket_id};

/// The idle children of a worker. There are never more than it has slots.
pub(crate) struct Pool {
    idle: Mutex<Vec<Peer>>,
    clock: Clock,
    /// How long a child may take to be ready, and then to begin with a task.
    start_limit: Duration,
}

/// A child process, and the socket to it. Killed when dropped.
pub(super) struct Peer {
    process: Child,
    socket: UnixStream,
    received: BytesMut,
}

impl Pool {
    pub(crate) fn new(clock: Clock, start_limit: Duration) -> Self {
        Self { idle: Mutex::default(), clock, start_limit }
    }

    /// A child that is ready: an idle one, else a new one. One that is not ready in time is killed.
    pub(super) async fn take(&self) -> io::Result<Peer> {
        while let Some(mut peer) = self.pop() {
            if peer.is_alive() {
                return Ok(peer);
            }
        }
        let mut peer = Peer::start()?;
        let ready = tokio::select! {
            ready = peer.ready() => ready,
            () = self.patience() => Err(too_slow("ready", self.start_limit)),
        };
        if ready.is_err() {
            let _ = peer.kill().await;
        }
        ready.map(|()| peer)
    }

    pub(super) fn give_back(&self, peer: Peer) {
        self.idle().push(peer);
    }

    /// Over when a child had its time to be ready, or to begin with a task.
    pub(super) async fn patience(&self) {
        self.clock.sleep(self.start_limit).await;
    }

    /// Why a child that did not begin with its task in time is killed.
    pub(super) fn did_not_begin(&self) -> String {
        too_slow("at work", self.start_limit).to_string()
    }

    fn pop(&self) -> Option<Peer> {
        self.idle().pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Peer>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_slow(what: &str, limit: Duration) -> io::Error {
    let limit = limit.as_secs_f64();
    io::Error::new(io::ErrorKind::TimedOut, format!("the child process was not {what} within {limit} s"))
}

impl Peer {
    fn start() -> io::Result<Self> {
        let (ours, theirs) = Socket::pair()?;
        ours.set_nonblocking(true)?;
        let process = command()?
            .env(CHILD_OF, socket_id(&theirs)?)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            // A signal that the terminal sends to its foreground group is the worker's to judge.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { process, socket: UnixStream::from_std(ours)?, received: BytesMut::new() })
    }

    async fn ready(&mut self) -> io::Result<()> {
        match self.hear().await? {
            Some((Word::Ready, _)) => Ok(()),
            _ => Err(io::Error::other("the child process ended before it was ready")),
        }
    }

    pub(super) async fn say(&mut self, order: &Order, bytes: &[&[u8]]) -> io::Result<()> {
        self.socket.write_all(&frame::encode(order, bytes)?).await
    }

    /// The child's next word; `None` when it has closed the socket. Cancel-safe.
    pub(super) async fn hear(&mut self) -> io::Result<Option<(Word, Bytes)>> {
        loop {
            if let Some(word) = frame::decode(&mut self.received)? {
                return Ok(Some(word));
            }
            if self.socket.read_buf(&mut self.received).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Kills the child and waits until it is gone.
    pub(super) async fn kill(&mut self) -> io::Result<ExitStatus> {
        self.process.start_kill()?;
        self.process.wait().await
    }

    /// How the child ended, which is known by the closed socket.
    pub(super) async fn buried(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

/// This program again, with the arguments it was called with.
fn command() -> io::Result<Command> {
    let mut arguments = std::env::args_os();
    let name = arguments.next();
    let mut command = Command::new(program()?);
    if let Some(name) = name {
        command.arg0(name);
    }
    command.args(arguments);
    Ok(command)
}

/// On Linux this names the running program even if its file was replaced since, as a rolling deployment does.
#[cfg(target_os = "linux")]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere this can fail")]
fn program() -> io::Result<std::path::PathBuf> {
    Ok("/proc/self/exe".into())
}

#[cfg(not(target_os = "linux"))]
fn program() -> io::Result<std::path::PathBuf> {
    std::env::current_exe()
}
