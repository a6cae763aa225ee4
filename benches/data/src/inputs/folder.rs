use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

pub(crate) struct Inputs {
    folder: PathBuf,
    _removed_at_the_end: Option<TempDir>,
}

impl Inputs {
    /// In `keep`, where what is there already is used again, or in a temporary folder.
    pub(crate) fn new(keep: Option<&Path>) -> Result<Self> {
        match keep {
            Some(folder) => Ok(Self::at(&std::path::absolute(folder)?)),
            None => Self::temporary(),
        }
    }

    fn temporary() -> Result<Self> {
        let folder = TempDir::with_prefix("cardoon-bench-")?;
        Ok(Self { folder: folder.path().to_owned(), _removed_at_the_end: Some(folder) })
    }

    /// Those of a folder; none are made.
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), _removed_at_the_end: None }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Has a file or a folder made elsewhere and moves it to its place, so that what is there is whole.
    pub(super) fn place(&self, place: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        println!("making {}", place.display());
        std::fs::create_dir_all(&self.folder)?;
        let nearby = TempDir::with_prefix_in("making-", &self.folder)?;
        let whole = nearby.path().join(place.file_name().context("it has no name")?);
        make(&whole)?;
        std::fs::rename(whole, place).with_context(|| format!("cannot make {}", place.display()))
    }
}

/// Reads the files, so that they are in the kernel's cache.
pub(super) fn warm(files: impl IntoIterator<Item = PathBuf>) -> Result<()> {
    for path in files {
        let mut file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
        std::io::copy(&mut file, &mut std::io::sink())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_made_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = Inputs::at(&folder.path().join("kept"));
        let place = inputs.folder().join("table");
        let write = |path: &Path| Ok(std::fs::write(path, "half")?);
        let error = inputs.place(&place, |path| write(path).and_then(|()| anyhow::bail!("the disk is full")));
        assert!(error.is_err() && !place.exists());
        inputs.place(&place, write).unwrap();
        assert!(place.exists());
        assert_eq!(std::fs::read_dir(inputs.folder()).unwrap().count(), 1);
    }
}
