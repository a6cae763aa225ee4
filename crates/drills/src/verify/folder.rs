use std::fs::{DirEntry, File};
use std::io;
use std::path::Path;

use tempfile::TempDir;

const PREFIX: &str = "cardoon-verify-";
/// Locked by the owner of the folder for as long as it lives, however it ends.
const LOCK: &str = "lock";

/// A verification's folder for temporary files. It goes with its owner; if that was killed, the next one removes it.
pub(super) struct Folder {
    folder: TempDir,
    _lock: File,
}

impl Folder {
    /// Makes one in `parent`, and removes those whose owners are gone.
    pub(super) fn create(parent: &Path) -> io::Result<Self> {
        remove_abandoned(parent)?;
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        // Nobody may find the file before it is locked.
        let unlocked = folder.path().join("unlocked");
        let lock = File::create(&unlocked)?;
        lock.lock()?;
        std::fs::rename(unlocked, folder.path().join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn remove_abandoned(parent: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(parent)?.flatten().filter(is_abandoned) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::debug!(%error, folder = %entry.path().display(), "an abandoned folder stays");
        }
    }
    Ok(())
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX);
    let is_folder = || entry.file_type().is_ok_and(|kind| kind.is_dir());
    let is_unlocked = || File::open(entry.path().join(LOCK)).is_ok_and(|lock| lock.try_lock().is_ok());
    is_ours && is_folder() && is_unlocked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_owner_is_gone_is_removed_and_no_other_one() {
        let parent = tempfile::tempdir().unwrap();
        let owned = Folder::create(parent.path()).unwrap();
        let abandoned = parent.path().join("cardoon-verify-old");
        for folder in [&abandoned, &parent.path().join("cardoon-verify-foreign"), &parent.path().join("mine")]
        {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(abandoned.join(LOCK), "").unwrap();
        std::fs::write(parent.path().join("mine").join(LOCK), "").unwrap();
        let _new = Folder::create(parent.path()).unwrap();
        assert!(!abandoned.exists() && owned.path().is_dir());
        assert!(parent.path().join("cardoon-verify-foreign").is_dir() && parent.path().join("mine").is_dir());
    }
}
