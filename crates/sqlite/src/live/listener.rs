use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_errors::{Error, Result};
use tokio::sync::watch;

use super::bells::socket_name;
use super::{Bell, LiveFolder};
use crate::failure;

/// No wait is shorter, whatever is asked for.
const SHORTEST: Duration = Duration::from_millis(10);

/// So many bells at once may mean that some did not fit into the socket, so that all kinds are looked at.
const MANY: usize = 4;

/// The socket of this process, and the thread that reads it.
#[derive(Debug)]
pub(crate) struct Listener {
    folder: Arc<LiveFolder>,
    unique: String,
    /// How long one wait lasts at most.
    patience: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kinds: Bell,
    /// `None` until somebody waits for something.
    socket: Option<Arc<UnixDatagram>>,
    closed: bool,
}

/// What waits within this process: a counter of rings a kind.
#[derive(Debug, Default)]
pub(crate) struct Local {
    queue: watch::Sender<u64>,
    revoke: watch::Sender<u64>,
    event: watch::Sender<u64>,
}

impl Local {
    /// The counter of rings of `kind`, which is one of queue, revoke and event.
    pub(crate) fn rings(&self, kind: Bell) -> watch::Receiver<u64> {
        match kind {
            Bell::REVOKE => self.revoke.subscribe(),
            Bell::EVENT => self.event.subscribe(),
            _ => self.queue.subscribe(),
        }
    }

    pub(crate) fn ring(&self, kinds: Bell) {
        for (kind, counter) in
            [(Bell::QUEUE, &self.queue), (Bell::REVOKE, &self.revoke), (Bell::EVENT, &self.event)]
        {
            if kinds.has(kind) {
                counter.send_modify(|rings| *rings += 1);
            }
        }
    }
}

/// What a wait for bells ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Bells(Bell),
    /// Nothing for the given time.
    Silence,
    Closed,
}

impl Listener {
    pub(crate) fn new(folder: Arc<LiveFolder>, patience: Option<Duration>) -> Self {
        let patience = patience.map(|patience| patience.max(SHORTEST));
        Self { folder, unique: cardoon_runtime::ids::unique(), patience, state: Mutex::default() }
    }

    /// Waits for `kinds` too, from now on and before this returns. Answers the socket, if a thread must now be
    /// started that reads it.
    pub(crate) fn add(&self, kinds: Bell) -> Result<Option<Arc<UnixDatagram>>> {
        let mut state = self.state();
        if state.closed || (state.socket.is_some() && state.kinds.has(kinds)) {
            return Ok(None);
        }
        if state.socket.is_some() {
            let wanted = state.kinds.with(kinds);
            return self.rename(&mut state, wanted).map(|()| None);
        }
        let name = socket_name(&self.unique, kinds);
        let socket = self.bind(&name).map_err(|error| self.coded(error, &name))?;
        state.kinds = kinds;
        state.socket = Some(Arc::clone(&socket));
        Ok(Some(socket))
    }

    /// Binds the socket under another name first: one that is seen before it is bound refuses, as one that nobody reads
    /// any more does, and is removed for that.
    fn bind(&self, name: &str) -> io::Result<Arc<UnixDatagram>> {
        let hidden = format!("{}.binding", self.unique);
        let socket = UnixDatagram::bind(self.folder.socket_path(&hidden))?;
        socket.set_read_timeout(self.patience)?;
        std::fs::rename(self.path(&hidden), self.path(name))?;
        Ok(Arc::new(socket))
    }

    /// Does not wait for `kinds` any more.
    pub(crate) fn remove(&self, kinds: Bell) {
        let mut state = self.state();
        let wanted = state.kinds.without(kinds);
        if state.socket.is_some()
            && let Err(error) = self.rename(&mut state, wanted)
        {
            tracing::debug!(%error, "the listener is rung for nothing");
        }
    }

    fn rename(&self, state: &mut State, wanted: Bell) -> Result<()> {
        let name = socket_name(&self.unique, wanted);
        let old = self.path(&socket_name(&self.unique, state.kinds));
        std::fs::rename(old, self.path(&name)).map_err(|error| self.coded(error, &name))?;
        state.kinds = wanted;
        // A bell that was meant for the old name may have missed both.
        self.ring(&name, Bell::ALL);
        Ok(())
    }

    /// Sends a bell to the own socket.
    fn ring(&self, name: &str, kinds: Bell) {
        let sent = UnixDatagram::unbound().and_then(|sender| {
            sender.set_nonblocking(true)?;
            sender.send_to(&[kinds.bits()], self.folder.socket_path(name))
        });
        if let Err(error) = sent {
            tracing::debug!(%error, "the listener could not be woken");
        }
    }

    fn coded(&self, error: io::Error, name: &str) -> Error {
        failure::of_file(error, &self.path(name), "open the socket")
    }

    /// Waits for bells on `socket`.
    pub(crate) fn hear(&self, socket: &UnixDatagram) -> io::Result<Heard> {
        let mut bells = Bell::NONE;
        let mut byte = [0];
        match socket.recv(&mut byte) {
            Ok(_) => bells.add(Bell::from_bits(byte[0])),
            // The bell that told so may have had no way, if the folder is gone.
            Err(error) if is_silence(&error) && self.state().closed => return Ok(Heard::Closed),
            Err(error) if is_silence(&error) => return Ok(Heard::Silence),
            Err(error) => return Err(error),
        }
        socket.set_nonblocking(true)?;
        let mut count = 1;
        while socket.recv(&mut byte).is_ok() {
            bells.add(Bell::from_bits(byte[0]));
            count += 1;
        }
        socket.set_nonblocking(false)?;
        if self.state().closed {
            return Ok(Heard::Closed);
        }
        Ok(Heard::Bells(if count >= MANY { Bell::ALL } else { bells }))
    }

    /// Lets the thread that reads the socket end, and removes the socket.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        if state.socket.take().is_some() {
            let name = socket_name(&self.unique, state.kinds);
            // The thread wakes by this byte, or by the next one's if the socket is full.
            self.ring(&name, Bell::NONE);
            self.folder.remove(&name);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_silence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_more_looks_at_everything_once() {
        let folder = tempfile::tempdir().unwrap();
        let live = Arc::new(LiveFolder::of(&folder.path().join("tasks.db")).unwrap());
        let listener = Listener::new(Arc::clone(&live), Some(Duration::from_secs(10)));
        let socket = listener.add(Bell::QUEUE).unwrap().unwrap();
        listener.add(Bell::RESULT).unwrap();
        let heard = listener.hear(&socket).unwrap();
        assert_eq!(heard, Heard::Bells(Bell::ALL), "a bell may have gone to the socket's old name");
        assert_eq!(live.names(".binding").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_listener_that_was_closed_ends_also_when_its_folder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let live = Arc::new(LiveFolder::of(&folder.path().join("tasks.db")).unwrap());
        let listener = Listener::new(live, Some(Duration::from_millis(10)));
        let socket = listener.add(Bell::QUEUE).unwrap().unwrap();
        drop(folder);
        listener.close();
        assert_eq!(listener.hear(&socket).unwrap(), Heard::Closed, "its thread would never end");
    }
}
