//! The files of one demo: the database, the witness's file, the workers' error streams.

use std::io;
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use tempfile::TempDir;

/// The demo's folder, which its worker processes are given.
pub(super) struct Folder {
    path: PathBuf,
    /// Removed with the demo, unless the folder is to be kept.
    temporary: Option<TempDir>,
}

impl Folder {
    /// A fresh run in `kept`, or in a temporary folder.
    pub(super) fn create(kept: Option<&Path>, slots: u32) -> Result<Self> {
        let create = || {
            let folder = kept.map_or_else(Self::temporary, Self::kept)?;
            std::fs::write(folder.path.join("slots"), slots.to_string())?;
            Ok(folder)
        };
        create().map_err(|error: io::Error| {
            Error::new(Code::DrillFailed, "cannot create the demo's folder").source(error)
        })
    }

    fn temporary() -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("cardoon-demo-").tempdir()?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    fn kept(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        // What an earlier run's tasks said would be counted with this one's.
        remove_if_present(&path.join("witness"))?;
        Ok(Self { path: path.canonicalize()?, temporary: None })
    }

    pub(super) fn existing(path: &Path) -> Self {
        Self { path: path.to_owned(), temporary: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database, if it outlives the demo.
    pub(super) fn kept_database(&self) -> Option<PathBuf> {
        self.temporary.is_none().then(|| self.database())
    }

    pub(super) fn url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    pub(super) fn witness(&self) -> PathBuf {
        self.path.join("witness")
    }

    pub(super) fn slots(&self) -> Result<u32> {
        let text = std::fs::read_to_string(self.path.join("slots")).ok();
        text.and_then(|text| text.parse().ok()).ok_or_else(|| {
            Error::new(Code::DrillFailed, format!("{} is no folder of a running demo", self.path.display()))
                .hint("this command is started by `cardoon demo mail`, never by hand")
        })
    }

    fn database(&self) -> PathBuf {
        self.path.join("cardoon.db")
    }
}

fn remove_if_present(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
