//! What the tests need of the machine.

use std::io::{IsTerminal, Write};
use std::process::Command;

use anyhow::{Result, bail};

use crate::{environments, run};

/// Something that must be there, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    is_met: fn() -> bool,
    packages: &'static [&'static str],
    why: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        what: "cc",
        is_met: || is_on_path("cc"),
        packages: &["gcc", "libc6-dev"],
        why: "a C compiler builds SQLite",
    },
    Need {
        what: "faketime",
        is_met: || is_on_path("faketime"),
        packages: &["faketime"],
        why: "a test steps the clock of its processes",
    },
    // The package `redis-server` would start a service, now or at the next boot. This one has the same program
    // under the name `redis-check-rdb`, and no service.
    Need {
        what: "redis-server",
        is_met: || ["redis-server", "valkey-server", "redis-check-rdb"].into_iter().any(is_on_path),
        packages: &["redis-tools"],
        why: "tests start Redis servers of their own",
    },
    Need {
        what: "systemd-analyze",
        is_met: || is_on_path("systemd-analyze"),
        packages: &["systemd"],
        why: "it reads the units of services through; nothing is started",
    },
    Need {
        what: "python3 -m venv",
        is_met: has_python,
        packages: &["python3", "python3-venv"],
        why: "tests work together with Celery",
    },
];

/// Installs what is missing, after asking; `--yes` and the variable `CI` answer for the user.
pub(crate) fn setup(args: &[String]) -> Result<()> {
    let installed = install_packages(args)?;
    let made = environments::make_missing(args)?;
    if !installed && !made {
        println!("setup: nothing is missing");
    }
    Ok(())
}

/// Returns whether anything was missing.
fn install_packages(args: &[String]) -> Result<bool> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_met)()).collect();
    if missing.is_empty() {
        return Ok(false);
    }
    for need in &missing {
        println!("setup: `{}` is missing; {}", need.what, need.why);
    }
    let packages = packages(&missing);
    if !is_root() || !is_on_path("apt-get") {
        bail!("install these packages (Debian's names), then run this again: {}", packages.join(" "));
    }
    if !is_agreed(args, &format!("Install {} with apt-get?", packages.join(" ")))? {
        bail!("nothing was installed; needed: {}", packages.join(" "));
    }
    install(&packages)?;
    Ok(true)
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.packages).copied().collect()
}

/// Asks the user, unless the answer is known.
pub(crate) fn is_agreed(args: &[String], question: &str) -> Result<bool> {
    if args.iter().any(|arg| arg == "--yes") || std::env::var_os("CI").is_some() {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        bail!("nobody can be asked here; add --yes: {question}");
    }
    print!("{question} [y/N] ");
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

/// Debian's Python cannot make environments without a further package.
fn has_python() -> bool {
    run::output(Command::new("python3").args(["-c", "import ensurepip, venv"])).is_ok()
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
        assert_eq!(
            packages(&missing),
            ["gcc", "libc6-dev", "faketime", "redis-tools", "systemd", "python3", "python3-venv"]
        );
    }

    #[test]
    fn a_program_is_found_on_the_path() {
        assert!(is_on_path("id"));
        assert!(!is_on_path("no-such-program-here"));
    }
}
