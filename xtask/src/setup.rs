//! What the tests need of the machine.

use std::io::{IsTerminal, Write};
use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// A program of which one must be on the path, and the Debian packages that bring it.
struct Need {
    /// What it is called, by the name to tell first.
    programs: &'static [&'static str],
    packages: &'static [&'static str],
    why: &'static str,
}

const NEEDS: &[Need] = &[
    Need { programs: &["cc"], packages: &["gcc", "libc6-dev"], why: "a C compiler builds SQLite" },
    Need { programs: &["faketime"], packages: &["faketime"], why: "a test steps the clock of its processes" },
    // The package `redis-server` would start a service, now or at the next boot. This one has the same program
    // under the name `redis-check-rdb`, and no service.
    Need {
        programs: &["redis-server", "valkey-server", "redis-check-rdb"],
        packages: &["redis-tools"],
        why: "tests start Redis servers of their own",
    },
];

/// Installs what is missing, after asking; `--yes` and the variable `CI` answer for the user.
pub(crate) fn setup(args: &[String]) -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        println!("setup: nothing is missing");
        return Ok(());
    }
    for need in &missing {
        println!("setup: `{}` is missing; {}", need.programs[0], need.why);
    }
    let packages = packages(&missing);
    if !is_root() || !is_on_path("apt-get") {
        bail!("install these packages (Debian's names), then run this again: {}", packages.join(" "));
    }
    if !is_agreed(args, &packages)? {
        bail!("nothing was installed; needed: {}", packages.join(" "));
    }
    install(&packages)
}

impl Need {
    fn is_met(&self) -> bool {
        self.programs.iter().any(|program| is_on_path(program))
    }
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.packages).copied().collect()
}

fn is_agreed(args: &[String], packages: &[&str]) -> Result<bool> {
    if args.iter().any(|arg| arg == "--yes") || std::env::var_os("CI").is_some() {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; add --yes to install: {}", packages.join(" "));
    }
    print!("Install {} with apt-get? [y/N] ", packages.join(" "));
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn install(packages: &[&str]) -> Result<()> {
    run::run(Command::new("apt-get").args(["update", "--quiet"]))?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages);
    run::run(install.env("DEBIAN_FRONTEND", "noninteractive"))
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn is_root() -> bool {
    let id = run::output(Command::new("id").arg("-u"));
    id.is_ok_and(|id| id.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_packages_of_what_is_missing_are_named() {
        let missing: Vec<&Need> = NEEDS.iter().collect();
        assert_eq!(packages(&missing), ["gcc", "libc6-dev", "faketime", "redis-tools"]);
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(is_on_path("id"));
        assert!(!is_on_path("no-such-program-here"));
    }
}
