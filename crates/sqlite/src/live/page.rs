//! The file of a session: its lock says that the process lives, its bytes what the process last did.
//!
//! Each entry is 16 bytes: a number and its complement, so that a torn one is noticed. The first entry is the last
//! heartbeat, in milliseconds of the boot-time clock; the second one says in which boot the file was written, since
//! nobody makes it durable. The others are the sequences of leases whose user code has begun, with a bit that says
//! that it has ended.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cardoon_core::BootInstant;
use cardoon_core::rescue::UserCode;
use cardoon_errors::{Code, Error, Result};

use super::LiveFolder;
use super::folder::WORKER;
use crate::failure;

const ENTRY: u64 = 16;

/// Entries that are written out in advance, so that a full disk stops neither a heartbeat nor a note: a worker takes
/// nothing new while about 2000 verdicts are not stored.
const RESERVED: usize = 4096;

/// The entry of the last heartbeat, and that of the boot.
const BEAT: u64 = 0;
const BOOT: u64 = 1;

/// Set in an entry whose user code has ended.
const ENDED: u64 = 1 << 63;

/// How often a torn entry is read again.
const TRIES: usize = 8;

/// The file of a session of this process.
#[derive(Debug)]
pub(crate) struct Page {
    file: File,
    name: String,
    folder: Arc<LiveFolder>,
    /// The last heartbeat that was written.
    last_beat: AtomicU64,
    begun: Mutex<Begun>,
}

#[derive(Debug)]
struct Begun {
    /// The leases whose user code has begun, until it has ended and the verdict is stored.
    leases: HashMap<u64, Mark>,
    free: Vec<u64>,
    used: u64,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    entry: u64,
    has_ended: bool,
    is_settled: bool,
}

impl Page {
    /// Makes and locks a file of its own in `folder`, with a first heartbeat.
    pub(crate) fn create(folder: &Arc<LiveFolder>, now: BootInstant) -> Result<Self> {
        loop {
            let name = format!("{}{WORKER}", cardoon_runtime::ids::unique());
            let file = folder.file(&name)?;
            let coded = |error| failure::of_file(error, &folder.path().join(&name), "write");
            file.write_all_at(&vec![0; RESERVED * ENTRY as usize], 0).map_err(coded)?;
            write_entry(&file, BEAT, now.0).map_err(coded)?;
            write_entry(&file, BOOT, cardoon_runtime::boot_id()).map_err(coded)?;
            // A sweeper may have taken the file for a dead one's before it was locked, and removed it.
            if file.try_lock().is_ok() && file.metadata().map_err(coded)?.nlink() > 0 {
                let folder = Arc::clone(folder);
                return Ok(Self { file, name, folder, last_beat: now.0.into(), begun: Mutex::default() });
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
        write_entry(&self.file, BEAT, now.0).map_err(coded)?;
        self.last_beat.store(now.0, Ordering::SeqCst);
        if self.file.metadata().map_err(coded)?.nlink() > 0 {
            return Ok(());
        }
        Err(Error::new(Code::FileGone, format!("{} was removed while it was in use", path.display()))
            .hint("leave the folder beside the database alone; restart the worker"))
    }

    pub(crate) fn last_beat(&self) -> BootInstant {
        BootInstant(self.last_beat.load(Ordering::SeqCst))
    }

    /// Notes that user code of the lease runs.
    pub(crate) fn mark_started(&self, sequence: u64) {
        let mut begun = self.begun();
        let entry = begun.free.pop().unwrap_or_else(|| {
            begun.used += 1;
            begun.used
        });
        begun.leases.insert(sequence, Mark { entry, has_ended: false, is_settled: false });
        self.write(entry, sequence);
    }

    /// Notes that user code of the lease has ended.
    pub(crate) fn mark_ended(&self, sequence: u64) {
        let mut begun = self.begun();
        if let Some(mark) = begun.leases.get_mut(&sequence) {
            mark.has_ended = true;
            self.write(mark.entry, sequence | ENDED);
        }
        begun.forget_finished(sequence);
    }

    /// Notes that the verdicts of these leases are stored. What the file says of them means nothing from now on.
    pub(crate) fn mark_settled(&self, sequences: impl Iterator<Item = u64>) {
        let mut begun = self.begun();
        for sequence in sequences {
            if let Some(mark) = begun.leases.get_mut(&sequence) {
                mark.is_settled = true;
            }
            begun.forget_finished(sequence);
        }
    }

    /// The leases whose user code runs, or has run and has no verdict.
    pub(crate) fn begun_leases(&self) -> HashSet<u64> {
        self.begun().leases.iter().filter(|(_, mark)| !mark.is_settled).map(|(lease, _)| *lease).collect()
    }

    /// Removes the file; the session has left.
    pub(crate) fn remove(&self) {
        self.folder.remove(&self.name);
    }

    fn begun(&self) -> std::sync::MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, entry: u64, sequence: u64) {
        if let Err(error) = write_entry(&self.file, entry, sequence) {
            tracing::warn!(%error, "the status page cannot be written; a rescuer may take its task for one that has not begun");
        }
    }
}

impl Default for Begun {
    fn default() -> Self {
        Self { leases: HashMap::new(), free: Vec::new(), used: BOOT }
    }
}

impl Begun {
    /// Frees the entry of a lease whose user code has ended and whose verdict is stored.
    fn forget_finished(&mut self, sequence: u64) {
        if self.leases.get(&sequence).is_some_and(|mark| mark.has_ended && mark.is_settled)
            && let Some(mark) = self.leases.remove(&sequence)
        {
            self.free.push(mark.entry);
        }
    }
}

/// What a session's file says of user code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    running: HashSet<u64>,
    ended: HashSet<u64>,
    /// It may have said more: it is of an earlier boot, or was not found, or an entry could not be read.
    is_doubtful: bool,
}

impl Marks {
    /// What is known of a session whose file says nothing.
    pub(crate) fn doubtful() -> Self {
        Self { is_doubtful: true, ..Self::default() }
    }

    pub(crate) fn runs(&self, sequence: u64) -> bool {
        self.running.contains(&sequence)
    }

    /// How far user code of this lease has come. In doubt it has run: nobody is blamed for that, and what must not run
    /// twice does not.
    pub(crate) fn of(&self, sequence: u64) -> UserCode {
        if self.runs(sequence) {
            UserCode::Running
        } else if self.is_doubtful || self.ended.contains(&sequence) {
            UserCode::Ended
        } else {
            UserCode::NotBegun
        }
    }

    fn add(&mut self, entry: Option<u64>) {
        match entry {
            None => self.is_doubtful = true,
            Some(0) => {}
            Some(ended) if ended & ENDED != 0 => drop(self.ended.insert(ended & !ENDED)),
            Some(running) => drop(self.running.insert(running)),
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
                let beat = self.read_entry(BEAT)?.ok_or(io::ErrorKind::InvalidData)?;
                Ok(Seen::Alive { beat: BootInstant(beat) })
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// What the file says of user code; what a dead process said last.
    pub(crate) fn marks(&self) -> io::Result<Marks> {
        let entries = self.0.metadata()?.len() / ENTRY;
        let mut bytes = vec![0; (entries * ENTRY) as usize];
        self.0.read_exact_at(&mut bytes, 0)?;
        let of_this_boot = self.read_entry(BOOT)? == Some(cardoon_runtime::boot_id());
        let mut marks = Marks { is_doubtful: !of_this_boot, ..Marks::default() };
        for (entry, bytes) in bytes.chunks_exact(ENTRY as usize).enumerate().skip(BOOT as usize + 1) {
            marks.add(match decode(bytes) {
                Some(number) => Some(number),
                None if bytes.iter().all(|byte| *byte == 0) => Some(0),
                None => self.read_entry(entry as u64)?,
            });
        }
        Ok(marks)
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
    fn the_page_tells_what_runs_from_what_has_ended_and_what_has_not_begun() {
        use UserCode::{Ended, NotBegun, Running};
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        for sequence in 1..=5000 {
            page.mark_started(sequence);
        }
        for sequence in 3..=5000 {
            page.mark_ended(sequence);
        }
        let marks = reader(&folder, &page).marks().unwrap();
        let seen = [1, 2, 3, 5000, 5001].map(|sequence| marks.of(sequence));
        assert_eq!(seen, [Running, Running, Ended, Ended, NotBegun]);
        assert_eq!(page.begun_leases().len(), 5000, "what has ended counts until its verdict is stored");
        page.mark_settled(3..=5000);
        assert_eq!(page.begun_leases(), HashSet::from([1, 2]));
    }

    #[test]
    fn entries_are_used_again_also_those_of_tasks_that_end_after_their_verdict() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        for sequence in 1..=10_000 {
            page.mark_started(sequence);
            if sequence % 2 == 0 {
                page.mark_ended(sequence);
            }
            page.mark_settled(sequence..=sequence);
            page.mark_ended(sequence);
        }
        assert!(page.begun_leases().is_empty());
        assert_eq!(page.begun().used, BOOT + 1);
    }

    #[test]
    fn a_page_that_may_have_said_more_takes_everything_for_ended() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        page.mark_started(4);
        let marks = || reader(&folder, &page).marks().unwrap();
        assert_eq!(marks().of(9), UserCode::NotBegun);
        page.file.write_all_at(&7u64.to_le_bytes(), 9 * ENTRY).unwrap();
        assert_eq!((marks().of(7), marks().of(9)), (UserCode::Ended, UserCode::Ended), "a torn entry");
        write_entry(&page.file, 9, 0).unwrap();
        write_entry(&page.file, BOOT, cardoon_runtime::boot_id() + 1).unwrap();
        assert_eq!((marks().of(4), marks().of(9)), (UserCode::Running, UserCode::Ended), "an earlier boot");
        assert_eq!(Marks::doubtful().of(9), UserCode::Ended);
    }

    #[test]
    fn a_heartbeat_that_nobody_can_see_fails() {
        let (_dir, folder) = folder();
        let page = Page::create(&folder, BootInstant(5)).unwrap();
        page.remove();
        assert_eq!(page.beat(BootInstant(6)).unwrap_err().code(), Code::FileGone);
    }
}
