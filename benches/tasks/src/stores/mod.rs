//! Where the tasks of a measurement are.

pub(crate) mod redis;
pub(crate) mod sqlite;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use tempfile::TempDir;

static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Makes the databases here from now on.
pub(crate) fn use_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    _ = FOLDER.set(folder.to_owned());
    Ok(())
}

pub(crate) fn temporary_folder() -> Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("cardoon-bench-");
    let folder = match FOLDER.get() {
        Some(folder) => builder.tempdir_in(folder),
        None => builder.tempdir(),
    };
    folder.context("cannot make a folder for a database")
}
