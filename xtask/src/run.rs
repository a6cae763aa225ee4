//! Other programs.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Cargo, started in the repository, with the target folder that all commands share.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(crate::repository::root()).env("CARGO_TARGET_DIR", target_folder());
    forget_this_package(&mut command);
    command
}

/// Takes from `command` what cargo has told this program about its package. Build scripts of libraries watch some of these
/// variables, so that with them cargo would build again what it had built when it was started by hand, and a query engine on top of it.
pub(crate) fn forget_this_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}

/// `$CARGO_TARGET_DIR`, or a folder in the user's cache.
pub(crate) fn target_folder() -> PathBuf {
    let in_cache = || cache_folder().map(|cache| cache.join("target"));
    variable("CARGO_TARGET_DIR").or_else(in_cache).unwrap_or_else(|| crate::repository::root().join("target"))
}

/// What these commands keep for the user, if the user has a home.
pub(crate) fn cache_folder() -> Option<PathBuf> {
    let in_home = || variable("HOME").map(|home| home.join(".cache"));
    variable("XDG_CACHE_HOME").or_else(in_home).map(|cache| cache.join("cardoon"))
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Says what is run, runs it with our own input and output, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    println!("$ {}", shown(command));
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// What a command prints.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} failed: {}", shown(command), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output.stdout)
}

fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}
