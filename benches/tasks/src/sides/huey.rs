//! huey on SQLite: installed into a virtual environment in the user's cache, two worker processes.
//!
//! Its tasks store their results too. It acknowledges nothing: a task whose worker dies is gone.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::stopwatch::{self, Stopwatch};
use crate::{cache, stores};

const VERSION: &str = "3.5.4";
const APP: &str = include_str!("huey_app.py");

struct Consumer(Child);

/// Tasks a second while two processes of huey drain `count` prefilled ones, from the first end to the last.
pub(crate) fn drain(count: usize) -> Result<f64> {
    let environment = environment()?;
    let folder = stores::temporary_folder()?;
    std::fs::write(folder.path().join("huey_app.py"), APP)?;
    let counter = counter(folder.path());
    let prefill = command(&environment.join("bin/python"), folder.path(), &counter)
        .args(["-c", &format!("import huey_app; huey_app.fill({count})")])
        .status();
    anyhow::ensure!(prefill.context("cannot start Python")?.success(), "huey could not be prefilled");
    std::fs::write(&counter, "")?;
    let consumer = Consumer(
        command(&environment.join("bin/huey_consumer"), folder.path(), &counter)
            .args(["huey_app.huey", "-k", "process", "-w", "2", "-q"])
            .spawn()
            .context("cannot start huey")?,
    );
    let rate = rate(&counter, count as u64);
    drop(consumer);
    std::fs::remove_file(&counter)?;
    rate
}

pub(crate) fn name() -> String {
    format!("huey {VERSION}")
}

/// Installs it if it is not there yet.
pub(crate) fn install() -> Result<()> {
    environment().map(drop)
}

fn rate(counter: &Path, count: u64) -> Result<f64> {
    let tick = Duration::from_millis(2);
    let ended =
        |least: u64| move || Ok(Some(std::fs::metadata(counter)?.len()).filter(|ended| *ended >= least));
    let seen = stopwatch::poll("huey's first task", tick, ended(1))?;
    let watch = Stopwatch::start();
    stopwatch::poll("huey's last task", tick, ended(count))?;
    Ok((count - seen) as f64 / watch.secs())
}

/// In memory where there is such a folder, so that counting costs huey little.
fn counter(folder: &Path) -> PathBuf {
    let shared = Path::new("/dev/shm");
    let name = format!("cardoon-bench-{}", std::process::id());
    if shared.is_dir() { shared.join(name) } else { folder.join(name) }
}

fn command(program: &Path, folder: &Path, counter: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .env("BENCH_FOLDER", folder)
        .env("BENCH_COUNTER", counter)
        .env("PYTHONPATH", folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn environment() -> Result<PathBuf> {
    cache::python(&format!("huey-{VERSION}"), &format!("huey=={VERSION}\n"))
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        // Interrupted, it ends its own processes; killed, it would leave them behind.
        _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let ended = stopwatch::poll("huey's end", Duration::from_millis(20), || Ok(self.0.try_wait()?));
        if ended.is_err() {
            _ = self.0.kill();
        }
    }
}
