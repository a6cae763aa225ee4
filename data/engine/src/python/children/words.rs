use std::io::{self, Read as _, Write as _};
use std::process::ChildStderr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that are remembered of what a child writes to standard error.
const REMEMBERED: usize = 4 << 10;

/// How long it may take to hear the last words of a child that has ended. Processes that it has started may hold its
/// standard error.
const LAST: Duration = Duration::from_secs(1);

/// What a child writes to standard error, and so what its functions print: it goes on to this process's, and the end of it
/// is remembered.
pub(super) struct Words {
    heard: Arc<Mutex<Vec<u8>>>,
    /// Has an end when all was heard.
    silence: Receiver<()>,
}

impl Words {
    pub(super) fn of(mut stderr: ChildStderr) -> io::Result<Self> {
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let (until, silence) = channel();
        let own = heard.clone();
        thread::Builder::new().name("cardoon-python-words".to_owned()).spawn(move || {
            let _until = until;
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = stderr.read(&mut bytes) {
                remember(&own, &bytes[..count]);
                // Nobody is left to be told that standard error is closed.
                let _ = io::stderr().lock().write_all(&bytes[..count]);
            }
        })?;
        Ok(Self { heard, silence })
    }

    /// The end of all that was said by a child that has ended.
    pub(super) fn last(&self) -> String {
        let _ = self.silence.recv_timeout(LAST);
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&heard).trim().to_owned()
    }
}

fn remember(heard: &Mutex<Vec<u8>>, bytes: &[u8]) {
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    heard.extend_from_slice(bytes);
    let begin = heard.len().saturating_sub(REMEMBERED);
    heard.drain(..begin);
}
