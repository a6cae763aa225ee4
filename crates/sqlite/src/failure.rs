//! From SQLite's and the system's errors to ours.

use std::io;
use std::path::Path;

use cardoon_errors::{Code, Error};
use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR_SHMOPEN, SQLITE_IOERR_SHMSIZE};

/// What went wrong with the database file at `path` while `doing`.
pub(crate) fn of_sqlite(error: rusqlite::Error, path: &Path, doing: &str) -> Error {
    let mut code = code_of(&error);
    let obstacle = if code == Code::CannotOpenFile { obstacle(path) } else { None };
    if obstacle.as_ref().is_some_and(|obstacle| obstacle.kind() == io::ErrorKind::ReadOnlyFilesystem) {
        code = Code::ReadOnly;
    }
    let path = path.display();
    let coded = Error::new(code, format!("cannot {doing} in {path}")).source(error);
    let coded =
        obstacle.iter().fold(coded, |coded, obstacle| coded.checked(format!("writing there: {obstacle}")));
    match code {
        Code::DiskFull => coded.hint("free disk space; the operation can be repeated then"),
        Code::DatabaseBusy => coded.hint(format!("find who holds the lock: fuser {path}")),
        Code::ReadOnly => coded.hint(format!("look at the rights of the file and its folder: ls -l {path}*")),
        Code::Corrupt => {
            coded.hint(format!("check it: sqlite3 {path} 'pragma integrity_check', then restore"))
        }
        Code::NotOurDatabase => coded.hint("choose another file for Cardoon"),
        Code::CannotOpenFile => coded.hint(format!("look at the file and its folder: ls -l {path}*")),
        _ => coded,
    }
}

/// What the system has against writing to `path`, if it says: SQLite only says that it cannot open the file.
fn obstacle(path: &Path) -> Option<io::Error> {
    if path.is_dir() {
        return Some(rustix::io::Errno::ISDIR.into());
    }
    let target = if path.exists() { path } else { path.parent()? };
    rustix::fs::access(target, rustix::fs::Access::WRITE_OK).err().map(Into::into)
}

fn code_of(error: &rusqlite::Error) -> Code {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    if extended == SQLITE_IOERR_SHMSIZE || extended == SQLITE_IOERR_SHMOPEN {
        return Code::DiskFull;
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Code::DiskFull,
        Some(ErrorCode::ReadOnly) => Code::ReadOnly,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Code::DatabaseBusy,
        Some(ErrorCode::DatabaseCorrupt) => Code::Corrupt,
        Some(ErrorCode::NotADatabase) => Code::NotOurDatabase,
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::SystemIoFailure) => {
            Code::CannotOpenFile
        }
        Some(ErrorCode::TooBig) => Code::TooLarge,
        _ => Code::Internal,
    }
}

/// What went wrong with a file beside the database while `doing`.
pub(crate) fn of_file(error: io::Error, path: &Path, doing: &str) -> Error {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Code::DiskFull,
        io::ErrorKind::ReadOnlyFilesystem => Code::ReadOnly,
        _ => Code::CannotOpenFile,
    };
    let path = path.display();
    Error::new(code, format!("cannot {doing}: {path}"))
        .source(error)
        .hint(format!("look at the file and its folder: ls -l {path}*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn code_for(raw: i32) -> Code {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(raw), None);
        of_sqlite(error, Path::new("tasks.db"), "write").code()
    }

    #[test]
    fn sqlite_failures_carry_the_code_that_says_what_to_do() {
        assert_eq!(code_for(ffi::SQLITE_FULL), Code::DiskFull);
        assert_eq!(code_for(SQLITE_IOERR_SHMSIZE), Code::DiskFull);
        assert_eq!(code_for(ffi::SQLITE_READONLY_DBMOVED), Code::ReadOnly);
        assert_eq!(code_for(ffi::SQLITE_BUSY_RECOVERY), Code::DatabaseBusy);
        assert_eq!(code_for(ffi::SQLITE_CORRUPT_INDEX), Code::Corrupt);
        assert_eq!(code_for(ffi::SQLITE_NOTADB), Code::NotOurDatabase);
        assert_eq!(code_for(ffi::SQLITE_CANTOPEN), Code::CannotOpenFile);
    }

    #[test]
    fn a_file_that_cannot_be_opened_says_what_the_system_has_against_it() {
        let folder = tempfile::tempdir().unwrap();
        let found = |path: &Path| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), None);
            of_sqlite(error, path, "open the database").findings().to_owned()
        };
        assert_eq!(found(folder.path()), ["writing there: Is a directory (os error 21)"]);
        let missing = folder.path().join("none/tasks.db");
        assert_eq!(found(&missing), ["writing there: No such file or directory (os error 2)"]);
        assert_eq!(found(&folder.path().join("tasks.db")), <[&str; 0]>::default());
    }
}
