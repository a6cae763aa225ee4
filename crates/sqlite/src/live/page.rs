//! The file of a session: its lock says that the process lives, its bytes what the process last did.
//!
//! Each entry is 16 bytes: a number and its complement, so that a torn one is noticed. The first entry is the last
//! heartbeat, in milliseconds of the boot-time clock; the others are the sequences of leases whose user code runs.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_core::BootInstant;
use cardoon_errors::{Code, Error, Result};

use super::LiveFolder;
use super::folder::WORKER;
use crate::failure;

const ENTRY: u64 = 16;

/// Entries that are written out in advance, so that a full disk does not stop a heartbeat.
const RESERVED: usize = 1024;

/// How often a torn entry is read again.
const TRIES: usize = 8;

/// The file of a session of this process.
#[derive(Debug)]
pub(crate) struct Page {
    file: File,
    name: String,
    folder: Arc<LiveFolder>,
    started: Mutex<Started>,
}

#[derive(Debug, Default)]
struct Started {
    /// The entry of each lease that runs.
    entries: HashMap<u64, u64>,
    /// Leases whose user code has ended and whose verdict is not stored.
    ended: HashSet<u64>,
    free: Vec<u64>,
    used: u64,
}

impl Page {
    /// Makes and locks a file of its own in `folder`, with a first heartbeat.
    pub(crate) fn create(folder: &Arc<LiveFolder>, now: BootInstant) -> Result<Self> {
        loop {
            let name = format!("{}{WORKER}", cardoon_runtime::ids::unique());
            let file = folder.file(&name)?;
            let coded = |error| failure::of_file(error, &folder.path().join(&name), "write");
            file.write_all_at(&vec![0; RESERVED * ENTRY as usize], 0).map_err(coded)?;
            write_entry(&file, 0, now.0).map_err(coded)?;
            // A sweeper may have taken the file for a dead one's before it was locked, and removed it.
            if file.try_lock().is_ok() && file.metadata().map_err(coded)?.nlink() > 0 {
                let folder = Arc::clone(folder);
                return Ok(Self { file, name, folder, started: Mutex::default() });
            }
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Writes a heartbeat. Fails when others cannot see it, because the file was removed.
    pub(crate) fn beat(&self, now: BootInstant) -> Result<()> {
        let path = self.folder.path().join(&self.name);
        let coded = |error| failure::of_file(error, &path, "write");
        write_entry(&self.file, 0, now.0).map_err(coded)?;
        if self.file.metadata().map_err(coded)?.nlink() > 0 {
            return Ok(());
        }
        Err(Error::new(Code::FileGone, format!("{} was removed while it was in use", path.display()))
            .hint("leave the folder beside the database alone; restart the worker"))
    }

    /// Notes that user code of the lease runs.
    pub(crate) fn mark_started(&self, sequence: u64) {
        let mut started = self.started();
        let entry = started.free.pop().unwrap_or_else(|| {
            started.used += 1;
            started.used
        });
        started.entries.insert(sequence, entry);
        self.write(entry, sequence);
    }

    /// Notes that user code of the lease has ended.
    pub(crate) fn mark_ended(&self, sequence: u64) {
        let mut started = self.started();
        if let Some(entry) = started.entries.remove(&sequence) {
            started.free.push(entry);
            started.ended.insert(sequence);
            self.write(entry, 0);
        }
    }

    /// Notes that the verdicts of these leases are stored.
    pub(crate) fn mark_settled(&self, sequences: impl Iterator<Item = u64>) {
        let mut started = self.started();
        for sequence in sequences {
            started.ended.remove(&sequence);
        }
    }

    /// The leases whose user code runs, or has run and has no verdict.
    pub(crate) fn begun_leases(&self) -> HashSet<u64> {
        let started = self.started();
        started.entries.keys().chain(&started.ended).copied().collect()
    }

    /// Removes the file; the session has left.
    pub(crate) fn remove(&self) {
        self.folder.remove(&self.name);
    }

    fn started(&self) -> std::sync::MutexGuard<'_, Started> {
        self.started.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, entry: u64, sequence: u64) {
        if let Err(error) = write_entry(&self.file, entry, sequence) {
            tracing::warn!(%error, "the status page cannot be written; a rescuer may blame the wrong task");
        }
    }
}

/// The file of some session, as a sweeper sees it.
#[derive(Debug)]
pub(crate) struct PageReader(File);

/// What a sweeper sees of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Its process is gone. The reader now holds the lock, so that no other sweeper acts at the same time.
    Dead,
    /// Its process is there; this was its last heartbeat.
    Alive { beat: BootInstant },
}

impl PageReader {
    /// Opens the file `name`; `None` if there is none, so that its session is dead.
    pub(crate) fn open(folder: &LiveFolder, name: &str) -> io::Result<Option<Self>> {
        match File::open(folder.path().join(name)) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn look(&self) -> io::Result<Seen> {
        match self.0.try_lock() {
            Ok(()) => Ok(Seen::Dead),
            Err(TryLockError::WouldBlock) => {
                let beat = self.read_entry(0)?.ok_or(io::ErrorKind::InvalidData)?;
                Ok(Seen::Alive { beat: BootInstant(beat) })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// The leases whose user code runs, or ran when the process died.
    pub(crate) fn started_leases(&self) -> io::Result<HashSet<u64>> {
        let entries = self.0.metadata()?.len() / ENTRY;
        let mut bytes = vec![0; (entries * ENTRY) as usize];
        self.0.read_exact_at(&mut bytes, 0)?;
        let mut started = HashSet::new();
        for (entry, bytes) in bytes.chunks_exact(ENTRY as usize).enumerate().skip(1) {
            let number = match decode(bytes) {
                Some(number) => Some(number),
                None if bytes.iter().all(|byte| *byte == 0) => None,
                None => self.read_entry(entry as u64)?,
            };
            started.extend(number.filter(|sequence| *sequence != 0));
        }
        Ok(started)
    }

    fn read_entry(&self, entry: u64) -> io::Result<Option<u64>> {
        let mut bytes = [0; ENTRY as usize];
        for _ in 0..TRIES {
            self.0.read_exact_at(&mut bytes, entry * ENTRY)?;
            if let Some(number) = decode(&bytes) {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}

fn write_entry(file: &File, entry: u64, number: u64) -> io::Result<()> {
    let mut bytes = [0; ENTRY as usize];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    bytes[8..].copy_from_slice(&(!number).to_le_bytes());
    file.write_all_at(&bytes, entry * ENTRY)
}

fn decode(bytes: &[u8]) -> Option<u64> {
    let (number, check) = bytes.split_at(8);
    let number = u64::from_le_bytes(number.try_into().ok()?);
    let check = u64::from_le_bytes(check.try_into().ok()?);
    (check == !number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Arc<LiveFolder>) {
        let dir = tempfile::tempdir().unwrap();
        let folder = Arc::new(LiveFolder::of(&dir.path().join("tasks.db")).unwrap());
        (dir, folder)
    }

    fn reader(folder: &LiveFolder, page: &Page) -> PageReader {
        PageReader::open(folder, page.name()).unwrap().unwrap()
    }

    #[test]
    fn a_session_lives_as_long_as_its_file_is_locked() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        assert_eq!(reader(&folder, &page).look().unwrap(), Seen::Alive { beat: BootInstant(5) });
        page.beat(BootInstant(77)).unwrap();
        let name = page.name().to_owned();
        assert_eq!(reader(&folder, &page).look().unwrap(), Seen::Alive { beat: BootInstant(77) });
        drop(page);
        let left = PageReader::open(&folder, &name).unwrap().unwrap();
        assert_eq!(left.look().unwrap(), Seen::Dead);
        let second = PageReader::open(&folder, &name).unwrap().unwrap();
        assert!(matches!(second.look(), Ok(Seen::Alive { .. })), "a second sweeper does not act as well");
    }

    #[test]
    fn the_page_names_the_leases_that_run() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        for sequence in 1..=2000 {
            page.mark_started(sequence);
        }
        for sequence in 3..=2000 {
            page.mark_ended(sequence);
        }
        page.mark_started(2001);
        let expected = HashSet::from([1, 2, 2001]);
        assert_eq!(reader(&folder, &page).started_leases().unwrap(), expected);
        assert_eq!(page.begun_leases().len(), 2001, "what has ended counts until its verdict is stored");
        page.mark_settled(3..=2000);
        assert_eq!(page.begun_leases(), expected);
    }

    #[test]
    fn a_torn_entry_names_no_lease() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        page.file.write_all_at(&7u64.to_le_bytes(), ENTRY).unwrap();
        assert_eq!(reader(&folder, &page).started_leases().unwrap(), HashSet::new());
    }

    #[test]
    fn a_heartbeat_that_nobody_can_see_fails() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        page.remove();
        assert_eq!(page.beat(BootInstant(6)).unwrap_err().code(), Code::FileGone);
    }
}
