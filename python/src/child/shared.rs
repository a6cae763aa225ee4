//! What the threads of a child share.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cardoon_children::Call;
use cardoon_children::frame::{self, Cancel, Gate, Raw, Tag, Word};
use cardoon_children::note::Note;
use cardoon_runtime::{Clock, FineInstant};

use super::outbox::{How, Outbox};

/// With so many ends unsaid they are said at once.
const MOST_UNSAID: usize = 64;

/// The same in bytes of return values: a frame has a limit.
const MOST_UNSAID_BYTES: usize = 1024 * 1024;

/// Ends are said at the latest after this time.
pub(super) const SAY_AFTER: Duration = Duration::from_millis(1);

pub(super) struct Shared {
    line: Mutex<Line>,
    came: Condvar,
    gate: Mutex<Gate>,
    /// The call that the main thread runs, and the one whose soft limit is over. 0: none; tags begin at 1.
    current: AtomicU64,
    soft: AtomicU64,
    cancels: Mutex<Vec<(Tag, bool)>>,
    writer: Mutex<()>,
    socket: UnixStream,
    /// What tells the socket from another one that got its number.
    identity: (u64, u64),
    note: Note,
    wake: Option<OwnedFd>,
    clock: Clock,
    process: u32,
}

struct Line {
    queue: VecDeque<Taken>,
    outbox: Outbox,
    said_at: FineInstant,
    stopped: bool,
}

/// A call that has come, with what of its frame it needs.
pub(super) type Taken = Call<Bytes, Bytes>;

impl Line {
    fn take_outbox(&mut self) -> Outbox {
        self.said_at = FineInstant::now();
        std::mem::take(&mut self.outbox)
    }
}

impl Shared {
    pub(super) fn new(socket: UnixStream, note: File, wake: Option<OwnedFd>) -> io::Result<Self> {
        let line = Line {
            queue: VecDeque::new(),
            outbox: Outbox::default(),
            said_at: FineInstant::now(),
            stopped: false,
        };
        Ok(Self {
            line: Mutex::new(line),
            came: Condvar::new(),
            gate: Mutex::new(Gate { start_before: 0, open_since: 0 }),
            current: AtomicU64::new(0),
            soft: AtomicU64::new(0),
            cancels: Mutex::default(),
            writer: Mutex::new(()),
            identity: identity(&socket)?,
            socket,
            note: Note::new(note),
            wake,
            clock: Clock::real(),
            process: std::process::id(),
        })
    }

    pub(super) fn socket(&self) -> &UnixStream {
        &self.socket
    }

    /// Whether this is not a process that a task forked.
    pub(super) fn is_same_process(&self) -> bool {
        std::process::id() == self.process
    }

    /// A process that a task forked and that came back from it, or one whose descriptors a task closed, must not talk for
    /// this child.
    pub(super) fn is_itself(&self) -> bool {
        self.is_same_process() && identity(&self.socket).is_ok_and(|found| found == self.identity)
    }

    /// Ends this process without running anything of its own any more.
    pub(super) fn vanish() -> ! {
        loop {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
        }
    }

    pub(super) fn try_take(&self) -> Option<Taken> {
        self.line().queue.pop_front()
    }

    /// Waits for a call; none when this child may end.
    pub(super) fn take(&self) -> Option<Taken> {
        let mut line = self.line();
        loop {
            if let Some(taken) = line.queue.pop_front() {
                return Some(taken);
            }
            if line.outbox.len() > 0 {
                drop(line);
                // If it cannot be said, the line thread has seen the same and ends this process.
                let _ = self.flush();
                line = self.line();
                continue;
            }
            if line.stopped {
                return None;
            }
            line = self.came.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn take_all(&self) -> Vec<Taken> {
        self.line().queue.drain(..).collect()
    }

    pub(super) fn add(&self, calls: Vec<Taken>) {
        self.line().queue.extend(calls);
        self.came.notify_all();
        self.wake();
    }

    /// Takes back those of `tags` that nobody has taken. What has ended before is said before: else it would seem to run.
    pub(super) fn recall(&self, tags: &[Tag]) -> io::Result<()> {
        let turn = self.turn();
        let mut back = Vec::new();
        let outbox = {
            let mut line = self.line();
            line.queue.retain(|taken| {
                let stays = !tags.contains(&taken.tag);
                if !stays {
                    back.push(taken.tag);
                }
                stays
            });
            line.take_outbox()
        };
        let mut frames = outbox.frames()?;
        frames.extend(frame::encode(&Word::Recalled(back))?);
        self.write(&turn, &frames)
    }

    pub(super) fn stop(&self) {
        self.line().stopped = true;
        self.came.notify_all();
        self.wake();
    }

    pub(super) fn is_stopped(&self) -> bool {
        let line = self.line();
        line.stopped && line.queue.is_empty()
    }

    pub(super) fn set_gate(&self, gate: Gate) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = gate;
    }

    /// Whether user code may begin on a delivery that was asked for at `since`.
    pub(super) fn may_start(&self, since: u64) -> bool {
        let gate = *self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        self.now() < gate.start_before && since >= gate.open_since
    }

    pub(super) fn now(&self) -> u64 {
        self.clock.boot().0
    }

    /// The main thread begins with a call.
    pub(super) fn enter(&self, tag: Tag) -> io::Result<()> {
        self.note.write(tag, self.now())?;
        self.current.store(tag, Ordering::SeqCst);
        Ok(())
    }

    pub(super) fn leave(&self) {
        self.current.store(0, Ordering::SeqCst);
    }

    pub(super) fn cancel(&self, tag: Tag, why: Cancel) {
        let is_soft = why == Cancel::SoftTimeLimit;
        if self.wake.is_some() {
            self.cancels.lock().unwrap_or_else(PoisonError::into_inner).push((tag, is_soft));
            self.wake();
        } else if is_soft {
            self.soft.store(tag, Ordering::SeqCst);
            // The kernel prefers the main thread, where user code runs; a signal also ends what it waits for.
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR1);
        }
    }

    pub(super) fn take_cancels(&self) -> Vec<(Tag, bool)> {
        std::mem::take(&mut *self.cancels.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn take_soft_limit(&self) -> bool {
        let current = self.current.load(Ordering::SeqCst);
        current != 0 && self.soft.compare_exchange(current, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub(super) fn began(&self, tag: Tag) -> io::Result<()> {
        let now = self.now();
        self.line().outbox.began(tag, now);
        self.flush()
    }

    /// A call has ended. It is said with others; see [`Self::flush_if_due`].
    pub(super) fn end(&self, tag: Tag, ran: Duration, how: How) {
        self.line().outbox.ended(tag, ran.as_micros() as u64, how);
    }

    /// Says what has ended, unless more calls wait and it was said just before.
    pub(super) fn flush_if_due(&self) -> io::Result<()> {
        let due = {
            let line = self.line();
            line.queue.is_empty()
                || line.outbox.len() >= MOST_UNSAID
                || line.outbox.bytes() >= MOST_UNSAID_BYTES
                || FineInstant::now().since(line.said_at) >= SAY_AFTER
        };
        if due { self.flush() } else { Ok(()) }
    }

    /// Whether something waits: calls, or words.
    pub(super) fn is_busy(&self) -> bool {
        let line = self.line();
        !line.queue.is_empty() || line.outbox.len() > 0
    }

    pub(super) fn flush(&self) -> io::Result<()> {
        // The turn first: what is taken out of the box is said before what is taken out later.
        let turn = self.turn();
        let outbox = self.line().take_outbox();
        if outbox.len() == 0 {
            return Ok(());
        }
        self.write(&turn, &outbox.frames()?)
    }

    pub(super) fn say_ready(&self) -> io::Result<()> {
        self.say(&Word::Ready)
    }

    pub(super) fn say_state(&self, tag: Tag, document: &[u8]) -> io::Result<()> {
        if !self.is_same_process() {
            return Ok(());
        }
        self.say(&Word::State { tag, document: Raw(document) })
    }

    fn say(&self, word: &Word<'_>) -> io::Result<()> {
        self.write(&self.turn(), &frame::encode(word)?)
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, _turn: &MutexGuard<'_, ()>, frames: &[u8]) -> io::Result<()> {
        if !self.is_itself() {
            Self::vanish();
        }
        (&self.socket).write_all(frames)
    }

    fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = rustix::io::write(wake, &1_u64.to_ne_bytes());
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(socket: &impl AsFd) -> io::Result<(u64, u64)> {
    let found = rustix::fs::fstat(socket)?;
    Ok((found.st_dev, found.st_ino))
}
