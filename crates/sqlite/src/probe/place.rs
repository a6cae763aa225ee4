//! Is there a database, and may one be written there?

use std::io;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Finding};
use rustix::fs::{Access, access, statvfs};

use super::rounds::{Found, ProbeLimits};
use crate::failure;
use crate::guard;

const MEBIBYTE: u64 = 1024 * 1024;

/// Looks at the place of the database; answers its path without links.
pub(super) fn look(path: &Path, limits: &ProbeLimits) -> Found<PathBuf> {
    let mut findings = Vec::new();
    let outcome = examine(path, limits, &mut findings);
    (findings, outcome)
}

fn examine(path: &Path, limits: &ProbeLimits, findings: &mut Vec<Finding>) -> Result<PathBuf, Finding> {
    let known = path.canonicalize();
    let path = &known.as_ref().map_or_else(|_| path.to_owned(), Clone::clone);
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    // A folder is made with the database, but not the ones above it.
    let existing = if folder.exists() { folder } else { folder.parent().unwrap_or(folder) };
    guard::check_filesystem(existing).map_err(|error| Finding::error("file-system", error))?;
    findings.push(Finding::fine("file-system", format!("{} is no network file system", existing.display())));
    findings.push(writable(existing)?);
    findings.push(room(existing, limits));
    match known {
        Ok(path) if path.is_dir() => {
            Err(Finding::error("file", failure::of_file(rustix::io::Errno::ISDIR.into(), &path, "open")))
        }
        Ok(path) => {
            findings.push(Finding::fine("file", format!("the file {} is there", path.display())));
            Ok(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(missing(path)),
        Err(error) => Err(Finding::error("file", failure::of_file(error, path, "open"))),
    }
}

fn writable(folder: &Path) -> Result<Finding, Finding> {
    match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Ok(Finding::fine("folder", format!("files can be made in {}", folder.display()))),
        Err(error) => Err(Finding::error("folder", not_writable(folder, error.into()))),
    }
}

fn not_writable(folder: &Path, error: io::Error) -> Error {
    let shown = folder.display();
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Code::ReadOnly,
        _ => Code::CannotOpenFile,
    };
    Error::new(code, format!("no file can be made in {shown}"))
        .source(error)
        .hint(format!("look at its owner and its rights: ls -ld {shown}"))
}

pub(super) fn missing(path: &Path) -> Finding {
    let error = Error::new(Code::NoDatabase, format!("there is no database {} yet", path.display()))
        .checked("nothing was made")
        .hint(
            "the first worker or task makes it, such as cardoon worker --builtin; \
             another one may be meant: cardoon settings show --origin",
        );
    Finding::warning("file", error)
}

fn room(folder: &Path, limits: &ProbeLimits) -> Finding {
    const CHECK: &str = "room";
    let Ok(found) = statvfs(folder) else {
        return Finding::unchecked(CHECK, "the file system does not tell its free space");
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let told = |error: Error| {
        let error = error.checked(format!("free: {} MiB", free / MEBIBYTE));
        error.hint(format!("free space there, or look what takes it: df -h {}", folder.display()))
    };
    if free < limits.full {
        let message = format!("the disk of {} is full", folder.display());
        return Finding::error(CHECK, told(Error::new(Code::DiskFull, message)));
    }
    if free < limits.room {
        let message = format!("the disk of {} is nearly full", folder.display());
        return Finding::warning(CHECK, told(Error::new(Code::NotEnoughRoom, message)));
    }
    Finding::fine(CHECK, format!("free: {} MiB", free / MEBIBYTE))
}
