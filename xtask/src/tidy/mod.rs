//! The rules of the house that no compiler checks.

mod documents;
mod functions;
mod text;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::repository;

const LONG_FUNCTIONS: &str = "xtask/long-functions.txt";

/// A file's path from the root, and its text.
pub(crate) struct File {
    path: String,
    text: String,
}

pub(crate) fn tidy(args: &[String]) -> Result<()> {
    let files = text_files()?;
    let listed = repository::read(LONG_FUNCTIONS)?;
    let long = functions::long(files.iter().filter(|file| file.is_rust()));
    if args.iter().any(|arg| arg == "--update") {
        repository::write(LONG_FUNCTIONS, &functions::lowered(&listed, &long))?;
    }
    let listed = repository::read(LONG_FUNCTIONS)?;
    let mut findings = functions::check(&listed, &long);
    findings.extend(files.iter().flat_map(text::check));
    findings.extend(documents::check(&files));
    if !findings.is_empty() {
        bail!("tidy found {}:\n{}", findings.len(), findings.join("\n"));
    }
    println!("tidy: {} files, all in order", files.len());
    Ok(())
}

impl File {
    fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|extension| extension == "rs")
    }
}

fn text_files() -> Result<Vec<File>> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(repository::root().join(&path)).ok()?;
        Some(File { path: path.to_string_lossy().into_owned(), text })
    };
    Ok(repository::files()?.into_iter().filter_map(read).collect())
}

#[cfg(test)]
fn file(path: &str, text: &str) -> File {
    File { path: path.into(), text: text.into() }
}
