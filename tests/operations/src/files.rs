use std::path::{Path, PathBuf};

/// A kind of files in `ops`: its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Units,
    Containers,
    Compose,
}

/// The folder `ops`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ops")
}

/// All files of a kind; there is at least one.
pub fn files(kind: Kind) -> anyhow::Result<Vec<PathBuf>> {
    let name = match kind {
        Kind::Units => "systemd",
        Kind::Containers => "container",
        Kind::Compose => "compose",
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder().join(name))? {
        found.push(entry?.path());
    }
    // What a user puts beside them, such as a token, is none of them.
    found.retain(|path| {
        path.extension().is_none_or(|extension| extension == "service" || extension == "yaml")
    });
    found.sort();
    anyhow::ensure!(!found.is_empty(), "nothing is in ops/{name}");
    Ok(found)
}
