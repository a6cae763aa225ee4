use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::Inputs;
use crate::queries::quoted;

/// The first so many of the logs, by names of their own in another folder.
pub(crate) struct Share {
    folder: PathBuf,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) bytes: u64,
}

impl Inputs {
    pub(crate) fn share(&self, files: usize) -> Result<Share> {
        let folder = self.folder().join(format!("logs-{files}"));
        if folder.exists() {
            // Its names may be those of logs that were there before.
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        let all = self.files()?.into_iter().take(files);
        let linked = all.map(|file| {
            let link = folder.join(file.file_name().context("it has no name")?);
            fs::hard_link(&file, &link).with_context(|| format!("cannot make {}", link.display()))?;
            Ok(link)
        });
        let files = linked.collect::<Result<Vec<_>>>()?;
        let sizes = files.iter().map(|file| Ok(file.metadata()?.len()));
        let bytes = sizes.sum::<Result<u64>>()?;
        Ok(Share { folder, files, bytes })
    }
}

impl Share {
    pub(crate) fn gb(&self) -> f64 {
        self.bytes as f64 / 1e9
    }

    /// As a query names them.
    pub(crate) fn table(&self) -> String {
        quoted(&self.folder.join("*.csv"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_first_files_of_those_that_are_there_now() {
        let folder = tempfile::tempdir().unwrap();
        let inputs = Inputs::at(folder.path());
        fs::create_dir(inputs.logs()).unwrap();
        for text in ["old", "newer"] {
            for name in ["log-1.csv", "log-0.csv", "log-2.csv"] {
                let place = inputs.logs().join(name);
                fs::write(folder.path().join("made"), text).unwrap();
                fs::rename(folder.path().join("made"), place).unwrap();
            }
            let share = inputs.share(2).unwrap();
            assert_eq!((share.files.len(), share.bytes), (2, 2 * text.len() as u64));
            assert!(share.files[1].ends_with("logs-2/log-1.csv"));
        }
    }
}
