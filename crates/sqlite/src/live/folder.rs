use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};

use crate::failure;
use crate::guard::beside;
use crate::layout::pause;

/// Ends of the names of what the folder holds.
pub(crate) const WORKER: &str = ".worker";
pub(crate) const BELL: &str = ".bell";

/// The live folder of a database file.
#[derive(Debug)]
pub(crate) struct LiveFolder {
    path: PathBuf,
    /// Open, so that sockets in it can be named however long its path is.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux names files by descriptor"))]
    dir: File,
}

impl LiveFolder {
    /// Opens the live folder of the database at `db`; makes it if there is none.
    pub(crate) fn of(db: &Path) -> Result<Self> {
        let path = beside(db, ".live");
        let open = || -> io::Result<File> {
            match DirBuilder::new().mode(0o777).create(&path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
            File::open(&path)
        };
        let dir = open().map_err(|error| failure::of_file(error, &path, "open the folder"))?;
        Ok(Self { path, dir })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file in the folder, made if there is none.
    pub(crate) fn file(&self, name: &str) -> Result<File> {
        let path = self.path.join(name);
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| failure::of_file(error, &path, "open"))
    }

    /// Takes the lock on opening, which is held until the answer is dropped.
    pub(crate) fn lock_opening(&self, limit: Duration) -> Result<File> {
        let file = self.file("open")?;
        let mut waited = Duration::ZERO;
        while file.try_lock().is_err() {
            if waited >= limit {
                let path = self.path.join("open");
                return Err(Error::new(
                    Code::DatabaseBusy,
                    "another process is opening the database and does not end",
                )
                .checked(format!("{} is locked", path.display()))
                .hint(format!("find it: fuser {}", path.display())));
            }
            waited += pause(Duration::from_millis(1));
        }
        Ok(file)
    }

    /// A path to socket `name` that is short enough for a socket's address, however deep the folder is.
    #[cfg(target_os = "linux")]
    pub(crate) fn socket_path(&self, name: &str) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.dir.as_raw_fd()))
    }

    /// The path of socket `name`.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn socket_path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes a file of the folder. That it is gone already is as good.
    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = std::fs::remove_file(self.path.join(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, name, "a live file could not be removed");
        }
    }

    /// The names in the folder that end with `suffix`.
    pub(crate) fn names(&self, suffix: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string()
                && name.ends_with(suffix)
            {
                names.push(name);
            }
        }
        Ok(names)
    }
}
