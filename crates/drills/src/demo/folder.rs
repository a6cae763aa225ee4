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
    /// A folder for a new run: `kept`, which must not hold a database yet, or a temporary one.
    pub(super) fn create(kept: Option<&Path>, slots: u32) -> Result<Self> {
        let folder = kept.map_or_else(Self::temporary, Self::kept).map_err(cannot_create)?;
        if folder.database().exists() {
            let message = format!("{} holds a database already", folder.path.display());
            return Err(Error::new(Code::DrillFailed, message)
                .hint("choose a new folder, so that no earlier tasks are counted"));
        }
        std::fs::write(folder.path.join("slots"), slots.to_string()).map_err(cannot_create)?;
        // On a broker that others use too, nobody else's worker must take the demo's tasks.
        let queue = format!("demo-{}", cardoon_runtime::ids::unique());
        std::fs::write(folder.path.join("queue"), queue).map_err(cannot_create)?;
        Ok(folder)
    }

    fn temporary() -> io::Result<Self> {
        let temporary = tempfile::Builder::new().prefix("cardoon-demo-").tempdir()?;
        Ok(Self { path: temporary.path().to_owned(), temporary: Some(temporary) })
    }

    fn kept(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
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
        self.read("slots").and_then(|text| text.parse().ok()).ok_or_else(|| self.is_no_demo())
    }

    /// The queue that the demo's tasks go to.
    pub(super) fn queue(&self) -> Result<String> {
        self.read("queue").ok_or_else(|| self.is_no_demo())
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path.join(name)).ok()
    }

    fn is_no_demo(&self) -> Error {
        Error::new(Code::DrillFailed, format!("{} is no folder of a running demo", self.path.display()))
            .hint("this command is started by `cardoon demo mail`, never by hand")
    }

    fn database(&self) -> PathBuf {
        self.path.join("cardoon.db")
    }
}

fn cannot_create(error: io::Error) -> Error {
    Error::new(Code::DrillFailed, "cannot create the demo's folder").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_an_earlier_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = Folder::create(Some(folder.path()), 4).unwrap();
        assert_eq!(Folder::existing(first.path()).slots().unwrap(), 4);
        std::fs::write(first.database(), "").unwrap();
        let refused = Folder::create(Some(folder.path()), 4).err().unwrap();
        assert_eq!(refused.code(), Code::DrillFailed);
    }
}
