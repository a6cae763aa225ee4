use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_runtime::Clock;

use super::folder::BELL;
use super::{Bell, LiveFolder};

/// A listing is trusted when the folder has not changed for this long: two changes within one tick of the file
/// system's clock carry the same time.
const SETTLED: Duration = Duration::from_millis(20);

/// How often the folder is read again when sockets change their names meanwhile.
const TRIES: usize = 4;

/// Wakes the processes that wait, by a byte to each one's socket.
#[derive(Debug)]
pub(crate) struct Bells {
    folder: Arc<LiveFolder>,
    clock: Clock,
    sender: io::Result<UnixDatagram>,
    listing: Mutex<Listing>,
}

#[derive(Debug, Default)]
struct Listing {
    targets: Vec<Target>,
    /// The folder's time of change, and when it was first seen.
    changed: Option<((i64, i64), BootInstant)>,
    settled: bool,
}

#[derive(Debug)]
struct Target {
    name: String,
    kinds: Bell,
}

impl Bells {
    pub(crate) fn new(folder: Arc<LiveFolder>, clock: Clock) -> Self {
        let sender = UnixDatagram::unbound().and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        Self { folder, clock, sender, listing: Mutex::default() }
    }

    /// Wakes everybody who waits for one of `kinds`. What cannot be sent is covered: a full socket has bells in it
    /// already, a closed one belongs to nobody.
    pub(crate) fn ring(&self, kinds: Bell) {
        let Ok(sender) = &self.sender else { return };
        if kinds.is_none() {
            return;
        }
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..TRIES {
            listing.refresh(&self.folder, self.clock.boot());
            if !self.send_to_all(sender, &listing.targets, kinds) {
                return;
            }
            listing.settled = false;
        }
    }

    /// Answers whether a socket was gone; then its process has left, or goes by another name now.
    fn send_to_all(&self, sender: &UnixDatagram, targets: &[Target], kinds: Bell) -> bool {
        let mut any_gone = false;
        for target in targets.iter().filter(|target| !target.kinds.and(kinds).is_none()) {
            let sent = sender.send_to(&[kinds.bits()], self.folder.socket_path(&target.name));
            match sent.map_err(|error| error.kind()) {
                Err(io::ErrorKind::ConnectionRefused) => self.folder.remove(&target.name),
                Err(io::ErrorKind::NotFound) => any_gone = true,
                _ => {}
            }
        }
        any_gone
    }

    /// Whether somebody waits for `kind` now.
    pub(crate) fn somebody_waits_for(&self, kind: Bell) -> bool {
        let mut listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        listing.refresh(&self.folder, self.clock.boot());
        listing.targets.iter().any(|target| target.kinds.has(kind))
    }
}

impl Listing {
    /// Reads the folder again, if it changed or may have changed since.
    fn refresh(&mut self, folder: &LiveFolder, now: BootInstant) {
        let Ok(found) = folder.path().metadata() else { return };
        let time = (found.mtime(), found.mtime_nsec());
        let first_seen = match self.changed {
            Some((known, first_seen)) if known == time => first_seen,
            _ => now,
        };
        if self.settled && self.changed.is_some_and(|(known, _)| known == time) {
            return;
        }
        let names = folder.names(BELL);
        self.changed = Some((time, first_seen));
        // A listing that failed is not trusted: the next one may not.
        self.settled = names.is_ok() && now.since(first_seen) >= SETTLED;
        self.targets = names.unwrap_or_default().into_iter().filter_map(Target::parse).collect();
    }
}

impl Target {
    /// Names are `<unique>.<kinds>.bell`.
    fn parse(name: String) -> Option<Self> {
        let kinds: u8 = name.strip_suffix(BELL)?.rsplit_once('.')?.1.parse().ok()?;
        Some(Self { name, kinds: Bell::from_bits(kinds) })
    }
}

/// The name of the socket of a process that waits for `kinds`.
pub(super) fn socket_name(unique: &str, kinds: Bell) -> String {
    format!("{unique}.{}{BELL}", kinds.bits())
}
