use std::path::PathBuf;

use anyhow::{Context, ensure};

/// A version of Celery, installed by `cargo xtask setup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(&'static str);

impl Version {
    /// The tutorial's: Celery 5.2.7 with redis-py 4.5.5.
    pub const V5_2: Self = Self("5.2");
    pub const V5_4: Self = Self("5.4");
    pub const V5_6: Self = Self("5.6");
    pub const V5_7: Self = Self("5.7");
    pub const ALL: [Self; 4] = [Self::V5_2, Self::V5_4, Self::V5_6, Self::V5_7];

    pub fn name(self) -> &'static str {
        self.0
    }

    /// Whether its JSON carries dates and decimals as such, and not as text.
    pub fn has_types(self) -> bool {
        self != Self::V5_2
    }

    /// A program of its virtual environment. Fails where the environment is not as the repository asks for.
    pub fn program(self, name: &str) -> anyhow::Result<PathBuf> {
        let environment = format!("celery-{}", self.0);
        let folder = cache()?.join("python").join(&environment);
        let wanted = python().join("requirements").join(format!("{environment}.txt"));
        let wanted = std::fs::read_to_string(wanted)?;
        let made = std::fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
        ensure!(made == wanted, "Celery {} is not installed as wanted: run `cargo xtask setup`", self.0);
        Ok(folder.join("bin").join(name))
    }
}

/// Where the Python programs of these tests are.
pub(crate) fn python() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("python")
}

fn cache() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("cardoon"))
}
