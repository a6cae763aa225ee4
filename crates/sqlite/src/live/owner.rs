use std::fs::File;
use std::io;
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;

/// To whom root gives what it makes in the live folder: the owner of the database. Who runs the workers could not write it
/// else.
///
/// The folder may be that of somebody who is not trusted, so only what was made by this process is given away, by its open
/// file and never by its name: a link could lead anywhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// The owner of the database at `db`; `None` for a process that is not root's, which cannot give files away.
    pub(super) fn of(db: &Path) -> Option<Self> {
        if !geteuid().is_root() {
            return None;
        }
        let found = db.metadata().ok()?;
        Some(Self { user: found.uid(), group: found.gid() })
    }

    /// Gives a file or folder away that was just made. A file system that knows no owners is no reason to fail.
    pub(super) fn take(self, made: &File) {
        if let Err(error) = fchown(made, Some(self.user), Some(self.group)) {
            tracing::debug!(%error, user = self.user, "a live file could not be given to the database's owner");
        }
    }
}

/// Opens a folder that was just made, and nothing that stands in its place by now.
pub(super) fn open_made(folder: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(rustix::fs::open(folder, flags, Mode::empty())?.into())
}
