use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// The folder of a virtual environment of Python that `cargo xtask setup` makes, `requirements` its list of packages. Fails
/// where it is missing or of another list.
pub fn environment(requirements: &Path) -> anyhow::Result<PathBuf> {
    let name = requirements.file_stem().context("requirements without a name")?;
    let folder = cache()?.join("python").join(name);
    let wanted = std::fs::read_to_string(requirements)?;
    let made = std::fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
    ensure!(made == wanted, "{} is not installed as wanted: run `cargo xtask setup`", name.display());
    Ok(folder)
}

fn cache() -> anyhow::Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    Ok(cache.context("neither XDG_CACHE_HOME nor HOME is set")?.join("cardoon"))
}
