use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use cardoon_core::Timestamp;
use cardoon_core::rescue::Loss;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use rusqlite::{Connection, OpenFlags};

use super::check::{Messages, damages};
use super::existing::Existing;
use super::room;
use super::sizes::Sizes;
use crate::failure;
use crate::guard::beside;
use crate::live::Marks;
use crate::operations::rescue::{LostSession, rescue};
use crate::tables::{Step, StepState, sessions};
use crate::writer::SLICE;

/// A finished copy.
#[derive(Debug, Clone)]
pub struct BackupReport {
    pub path: PathBuf,
    /// Of the copy.
    pub bytes: u64,
    /// Where the messages are in the copy.
    pub messages: Messages,
    /// Of these, what workers held: in the copy it is ready.
    pub put_back: u64,
}

/// Copies the database at `path` to the file `target`, as it is at one moment, beside its workers.
///
/// The copy holds nothing of those that live: what workers held is ready in it, as if they had died, and counts as tried;
/// what was acknowledged early and held has ended there with an unknown outcome. It is written as `target.part`, read
/// through, made durable, and then renamed, so that `target` is complete or not there. Nobody but its owner may read it.
///
/// Workers go on meanwhile. The write-ahead log grows until it is over, since what is being read is not written over.
///
/// # Errors
/// `CD4006` if `target` exists and `replace` is not set, `CD4004` if a database is in use there, `CD1114` if the copy does
/// not fit, `CD1111` if the copy is damaged, because what it was made of is; and what opening the database answers.
pub fn backup(path: &Path, target: &Path, replace: bool, clock: &Clock) -> Result<BackupReport> {
    let existing = Existing::open(path)?;
    let target = absolute(target)?;
    check_target(&existing.path, &target, replace)?;
    let used = Sizes::used(&existing.db).map_err(|error| existing.failed(error, "read"))?;
    room::require(&[(folder_of(&target), used)])?;
    let part = Part::create(&target)?;
    copy(&existing, &part.path)?;
    let (messages, put_back) = finish(&part.path, clock.now())?;
    let bytes = part.publish(&target, replace)?;
    Ok(BackupReport { path: target, bytes, messages, put_back })
}

/// A copy that is being written; removed unless it is published.
struct Part {
    path: PathBuf,
    /// Locked, so that no other backup writes the same file.
    file: File,
    is_published: bool,
}

impl Part {
    fn create(target: &Path) -> Result<Self> {
        let path = beside(target, ".part");
        let failed = |error| failure::of_file(error, &path, "write");
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(failed)?;
        if file.try_lock().is_err() {
            return Err(Error::new(Code::BadInput, format!("another backup writes {}", path.display()))
                .hint("wait for its end, or name another file"));
        }
        // One that was broken off may have left it.
        file.set_len(0).map_err(failed)?;
        Ok(Self { path, file, is_published: false })
    }

    /// Makes the copy durable and gives it its name; answers its size.
    fn publish(mut self, target: &Path, replace: bool) -> Result<u64> {
        let failed = |error| failure::of_file(error, target, "write");
        self.file.sync_all().map_err(failed)?;
        refuse_existing(target, replace)?;
        std::fs::rename(&self.path, target).map_err(failed)?;
        self.is_published = true;
        File::open(folder_of(target)).and_then(|folder| folder.sync_all()).map_err(failed)?;
        Ok(self.file.metadata().map_err(failed)?.len())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_published {
            // The error that broke the backup off is told; this one would add nothing.
            let _ = std::fs::remove_file(&self.path);
            let _ = std::fs::remove_file(beside(&self.path, "-journal"));
        }
    }
}

fn absolute(target: &Path) -> Result<PathBuf> {
    let absolute = std::path::absolute(target).map_err(|error| failure::of_file(error, target, "write"))?;
    let folder = folder_of(&absolute);
    folder.metadata().map_err(|error| failure::of_file(error, folder, "open the folder"))?;
    Ok(absolute)
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("/"))
}

/// Fails if writing `target` would harm somebody.
fn check_target(database: &Path, target: &Path, replace: bool) -> Result<()> {
    let id = |path: &Path| path.metadata().ok().map(|found| (found.dev(), found.ino()));
    if id(target).is_some_and(|found| id(database) == Some(found)) {
        return Err(
            Error::new(Code::BadInput, "a database is not copied over itself").hint("name another file")
        );
    }
    // SQLite would take such a log for that of the copy, and spoil it.
    for suffix in ["-wal", "-journal"] {
        let log = beside(target, suffix);
        if log.exists() {
            return Err(Error::new(Code::BadInput, format!("a database is in use at {}", target.display()))
                .checked(format!("its log is there: {}", log.display()))
                .hint("name another file"));
        }
    }
    refuse_existing(target, replace)
}

fn refuse_existing(target: &Path, replace: bool) -> Result<()> {
    if replace || !target.exists() {
        return Ok(());
    }
    Err(Error::new(Code::NeedsYes, format!("this would replace {}", target.display()))
        .hint("name another file, or add --yes"))
}

fn copy(existing: &Existing, part: &Path) -> Result<()> {
    let name = part.to_str().ok_or_else(|| {
        Error::new(Code::BadInput, format!("{} cannot be written as text", part.display()))
            .hint("name another file")
    })?;
    let copied = existing
        .db
        .execute_batch("PRAGMA auto_vacuum = INCREMENTAL")
        .and_then(|()| existing.db.execute("VACUUM INTO ?1", [name]));
    copied.map(drop).map_err(|error| existing.failed(error, "copy the database"))
}

/// Puts back in the copy what workers hold, and reads it through. Answers where its messages are, and how many were put
/// back.
fn finish(part: &Path, now: Timestamp) -> Result<(Messages, u64)> {
    let failed = |error| failure::of_sqlite(error, part, "finish the copy");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let copy = Connection::open_with_flags(part, flags).map_err(failed)?;
    // A copy that is not finished is thrown away, so nothing of it need be kept on the way.
    let put_back = copy
        .execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF")
        .and_then(|()| put_back(&copy, now))
        .map_err(failed)?;
    if let Some(damage) = damages(&copy, false).map_err(failed)?.into_iter().next() {
        return Err(Error::new(Code::Corrupt, "the copy is damaged, because the database is")
            .checked(damage.what)
            .hint("cardoon db check --full"));
    }
    let messages = Messages::count(&copy).map_err(failed)?;
    copy.close().map_err(|(_, error)| failed(error))?;
    Ok((messages, put_back))
}

/// Treats every worker as dead. Whether user code had begun is not known of the copy's moment, so nobody is blamed.
fn put_back(copy: &Connection, now: Timestamp) -> rusqlite::Result<u64> {
    let tx = copy.unchecked_transaction()?;
    let mut state = StepState::default();
    let mut step = Step::new(&tx, now, &mut state);
    let mut put_back = 0;
    for session in sessions::list(&tx)? {
        let lost = LostSession { id: session.id, loss: Loss::Died, marks: Marks::doubtful() };
        loop {
            let rescued = rescue(&mut step, &lost, SLICE)?;
            put_back += rescued.requeued.len() as u64;
            if !rescued.more {
                break;
            }
        }
        sessions::delete(&step, session.id)?;
    }
    tx.commit()?;
    Ok(put_back)
}
