use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A file or a folder of the clone that the benchmark is started in, which clones that share a target folder do not share.
///
/// # Errors
///
/// No folder from here upwards has it.
pub fn path(of: impl AsRef<Path>) -> Result<PathBuf> {
    let of = of.as_ref();
    let here = std::env::current_dir().context("cannot tell the current folder")?;
    let found = here.ancestors().map(|folder| folder.join(of)).find(|path| path.exists());
    found.with_context(|| format!("there is no {} here: start this in a clone of Cardoon", of.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_from_a_folder_within_the_clone() {
        assert!(path("docs/benchmarks.md").unwrap().is_file());
        assert!(path("docs/no-such-page.md").unwrap_err().to_string().contains("docs/no-such-page.md"));
    }
}
