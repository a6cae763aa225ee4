//! What workers and schedulers do that run as services: a log in a file, and a file that tells their process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

#[derive(Debug, Default, clap::Args)]
pub(crate) struct ServiceOptions {
    /// Append the log to this file instead of writing it to standard error
    #[arg(short = 'f', long, value_name = "FILE")]
    logfile: Option<PathBuf>,
    /// Keep the process id in this file while running; a second process with the same file does not start
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Celery's option to leave the terminal
    #[arg(short = 'D', long, hide = true)]
    detach: bool,
}

/// A process that runs as a service, while this lives.
pub(super) struct Service {
    _pidfile: Option<PidFile>,
}

impl ServiceOptions {
    /// Becomes what the options ask for. Call it before anything is said.
    ///
    /// # Errors
    ///
    /// `CD4004` if a file cannot be written, if another process holds the pidfile, and for `--detach`.
    pub(super) fn begin(&self) -> Result<Service> {
        if self.detach {
            return Err(Error::new(Code::BadInput, "this process does not leave the terminal by itself")
                .hint(
                    "a unit of systemd with Type=simple, or: nohup cardoon worker -A tasks -f worker.log &",
                ));
        }
        let pidfile = self.pidfile.as_deref().map(PidFile::take).transpose()?;
        if let Some(path) = &self.logfile {
            redirect(path).map_err(|error| cannot_write("the log", path, error))?;
        }
        Ok(Service { _pidfile: pidfile })
    }
}

/// Standard error goes to the end of this file from now on, also that of processes which are started later.
#[cfg(unix)]
fn redirect(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    rustix::stdio::dup2_stderr(&file)?;
    Ok(())
}

#[cfg(not(unix))]
fn redirect(_path: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The file with the process id. Its lock says whether the process lives, so one that a dead process left is no hindrance.
#[derive(Debug)]
struct PidFile {
    path: PathBuf,
    _lock: File,
}

impl PidFile {
    fn take(path: &Path) -> Result<Self> {
        let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = open.map_err(|error| cannot_write("the process id", path, error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(is_taken(path, &mut file)),
            Err(TryLockError::Error(error)) => return Err(cannot_write("the process id", path, error)),
        }
        let write = |mut file: &File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write(&file).map_err(|error| cannot_write("the process id", path, error))?;
        // The folder may be left before the end.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { path, _lock: file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn is_taken(path: &Path, file: &mut File) -> Error {
    let mut pid = String::new();
    let _ = file.read_to_string(&mut pid);
    Error::new(Code::BadInput, format!("another process holds the pidfile {}", path.display()))
        .checked(format!("its process id: {}", pid.trim()))
        .hint("stop it first, or give each process a pidfile of its own")
}

fn cannot_write(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(Code::BadInput, format!("cannot write {what} to {}", path.display())).source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pidfile_is_held_by_one_process_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.pid");
        std::fs::write(&path, "4711 left by a dead process\n").unwrap();
        let held = PidFile::take(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        let refused = PidFile::take(&path).unwrap_err().to_string();
        assert!(refused.contains("another process holds"), "{refused}");
        drop(held);
        assert!(!path.exists());
    }

    #[test]
    fn who_wants_a_daemon_is_told_how() {
        let asked = ServiceOptions { detach: true, ..ServiceOptions::default() };
        let Err(error) = asked.begin() else { panic!("it did not say no") };
        assert!(format!("{error:?}").contains("nohup"), "{error:?}");
    }
}
