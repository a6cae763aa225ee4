//! What must hold before and while a database file is used.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

/// The first SQLite without the bug by which two checkpointing connections could damage a file in WAL mode.
const FIRST_SAFE_SQLITE: i32 = 3_051_003;

/// Which files, and which process, a handle was opened for.
#[derive(Debug)]
pub(crate) struct Identity {
    path: PathBuf,
    log: PathBuf,
    file: FileId,
    log_file: FileId,
    process: u32,
}

/// What tells a file from another one of the same name.
type FileId = (u64, u64);

impl Identity {
    /// Takes the identity of an open database, whose write-ahead log exists by now.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let log = beside(path, "-wal");
        let file = identify(path).map_err(|error| gone(path).source(error))?;
        let log_file = identify(&log).map_err(|error| gone(path).source(error))?;
        Ok(Self { path: path.to_owned(), log, file, log_file, process: std::process::id() })
    }

    /// Fails when this process is a fork of the one that opened the file.
    pub(crate) fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            return Ok(());
        }
        let path = self.path.display();
        Err(Error::new(Code::UsedAfterFork, format!("the handle of {path} was opened by another process"))
            .checked(format!("opened by process {}", self.process))
            .checked(format!("used by process {}", std::process::id()))
            .hint("open the database after the fork, in each process"))
    }

    /// Fails when the file at the path is not the one that is open.
    pub(crate) fn check_files(&self) -> Result<()> {
        let same = |path: &Path, id| identify(path).is_ok_and(|found| found == id);
        if same(&self.path, self.file) && same(&self.log, self.log_file) {
            Ok(())
        } else {
            Err(gone(&self.path))
        }
    }
}

fn gone(path: &Path) -> Error {
    let path = path.display();
    Error::new(
        Code::FileGone,
        format!("{path} or its write-ahead log was removed or replaced while it was open"),
    )
    .hint("restore the file, then restart every process that uses it")
}

fn identify(path: &Path) -> io::Result<FileId> {
    path.metadata().map(|found: Metadata| (found.dev(), found.ino()))
}

/// The path of a file that SQLite or we keep beside the database.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Fails when the linked SQLite has a known corruption bug.
pub(crate) fn check_sqlite_version() -> Result<()> {
    if rusqlite::version_number() >= FIRST_SAFE_SQLITE {
        return Ok(());
    }
    Err(Error::new(Code::SqliteTooOld, format!("SQLite {} can damage shared files", rusqlite::version()))
        .hint("build with SQLite 3.51.3 or newer"))
}

/// Fails when `folder` is on a network file system.
pub(crate) fn check_filesystem(folder: &Path) -> Result<()> {
    let Some(name) = network_filesystem(folder) else { return Ok(()) };
    Err(Error::new(Code::NetworkFilesystem, format!("{} is on a network file system", folder.display()))
        .checked(format!("type of the file system: {name}"))
        .hint("use a local disk; to use several machines, choose a broker that is a server"))
}

#[cfg(target_os = "linux")]
fn network_filesystem(folder: &Path) -> Option<&'static str> {
    let found = rustix::fs::statfs(folder).ok()?.f_type as u64 & 0xffff_ffff;
    network_type(found)
}

#[cfg(not(target_os = "linux"))]
fn network_filesystem(_folder: &Path) -> Option<&'static str> {
    None
}

/// The name of a network file system, by its number in `statfs`.
#[cfg(target_os = "linux")]
fn network_type(number: u64) -> Option<&'static str> {
    const TYPES: [(u64, &str); 9] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB2"),
        (0x0102_1997, "9p"),
        (0x6573_5546, "FUSE"),
        (0x5346_414f, "AFS"),
        (0x00c3_6400, "Ceph"),
        (0x0bd0_0bd0, "Lustre"),
    ];
    TYPES.into_iter().find(|(known, _)| *known == number).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_by_their_number() {
        assert_eq!(network_type(0x6969), Some("NFS"));
        assert_eq!(network_type(0xef53), None, "ext4 is a local file system");
    }

    #[test]
    fn a_replaced_file_is_not_the_one_that_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tasks.db");
        std::fs::write(&path, "").unwrap();
        std::fs::write(beside(&path, "-wal"), "").unwrap();
        let identity = Identity::of(&path).unwrap();
        identity.check_files().unwrap();
        identity.check_process().unwrap();
        std::fs::write(folder.path().join("other"), "").unwrap();
        std::fs::rename(folder.path().join("other"), &path).unwrap();
        assert_eq!(identity.check_files().unwrap_err().code(), Code::FileGone);
    }

    #[test]
    fn the_linked_sqlite_is_safe() {
        check_sqlite_version().unwrap();
    }
}
