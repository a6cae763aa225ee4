//! Who may give a file its name, when several runs of one task write it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};

/// A run of a task. A later run of the same task has a greater number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    pub task: String,
    pub run: u64,
}

/// The right to rename, as long as it is held. Others wait for it.
pub(super) struct Held(#[expect(dead_code, reason = "the lock ends with the file")] File);

impl Fence {
    /// As it stands beside what was written.
    pub(super) fn text(&self) -> String {
        format!("{} {}\n", self.run, self.task)
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let (run, task) = text.trim().split_once(' ')?;
        Some(Self { task: task.to_owned(), run: run.parse().ok()? })
    }

    /// Errors with [`Code::LeaseLost`] if the run that was here before, `known`, is a later one of the task.
    pub(super) fn check(&self, known: Option<&Self>) -> Result<()> {
        match known {
            Some(known) if known.task == self.task && known.run > self.run => {
                Err(Error::new(Code::LeaseLost, "a later run of this task has written the file"))
            }
            _ => Ok(()),
        }
    }
}

/// Waits for those who are renaming, and remembers the run beside the file. Errors with [`Code::LeaseLost`] if a later run
/// of the task has been here: what this one has made is out of date.
pub(super) fn hold(output: &Path, fence: &Fence) -> Result<Held> {
    let path = beside(output);
    let failed = |error: io::Error| {
        Error::new(Code::OutputFailed, format!("{} cannot be written", path.display())).source(error)
    };
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    file.lock().map_err(failed)?;
    fence.check(read(&mut file).map_err(failed)?.as_ref())?;
    write(&mut file, fence).map_err(failed)?;
    Ok(Held(file))
}

fn beside(output: &Path) -> PathBuf {
    let name = output.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    output.with_file_name(name_beside(&name))
}

/// What the file is called that remembers who has written the file `name`.
pub(super) fn name_beside(name: &str) -> String {
    format!(".{name}.run")
}

fn read(file: &mut File) -> io::Result<Option<Fence>> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(Fence::read(&text))
}

fn write(file: &mut File, fence: &Fence) -> io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(fence.text().as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_of_the_task_is_refused_and_any_other_task_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("a.csv");
        let run = |task: &str, run| hold(&output, &Fence { task: task.into(), run });
        assert!(run("one", 2).is_ok());
        assert_eq!(run("one", 1).err().map(|error| error.code()), Some(Code::LeaseLost));
        assert!(run("one", 2).is_ok() && run("one", 3).is_ok());
        assert!(run("two", 0).is_ok());
    }
}
