//! Notices when the source of a Python application changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cardoon_runtime::Clock;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// More files than this are not looked at.
const MOST_FILES: usize = 10_000;

/// Folders that hold no source of the application.
const PASSED_OVER: [&str; 4] = ["__pycache__", "node_modules", "site-packages", "venv"];

/// The Python files of a folder, and when they were written.
pub(super) struct Sources {
    folder: PathBuf,
    known: HashMap<PathBuf, SystemTime>,
}

impl Sources {
    /// Those below `folder`; hidden folders and virtual environments are passed over.
    pub(super) fn of(folder: PathBuf) -> Self {
        let known = written(&folder);
        Self { folder, known }
    }

    /// Waits until a file is new, gone, or written again, and names it.
    pub(super) async fn changed(&self, clock: &Clock) -> PathBuf {
        loop {
            clock.sleep(LOOK_EVERY).await;
            if let Some(path) = self.difference(&written(&self.folder)) {
                return path;
            }
        }
    }

    fn difference(&self, now: &HashMap<PathBuf, SystemTime>) -> Option<PathBuf> {
        let written = now.iter().find(|(path, time)| self.known.get(*path) != Some(*time));
        let gone = || self.known.keys().find(|path| !now.contains_key(*path));
        written.map(|(path, _)| path).or_else(gone).cloned()
    }
}

fn written(folder: &Path) -> HashMap<PathBuf, SystemTime> {
    let mut found = HashMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !name.starts_with('.') && !PASSED_OVER.contains(&&*name) {
                folders.push(path);
            } else if kind.is_file() && name.ends_with(".py") && found.len() < MOST_FILES {
                found.extend(entry.metadata().and_then(|file| file.modified()).map(|time| (path, time)));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_is_written_or_new_or_gone_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("tasks.py"), "x = 1").unwrap();
        std::fs::create_dir(path("__pycache__")).unwrap();
        let sources = Sources::of(folder.path().to_owned());
        std::fs::write(path("__pycache__/tasks.py"), "").unwrap();
        std::fs::write(path("notes.txt"), "").unwrap();
        assert_eq!(sources.difference(&written(folder.path())), None);
        std::fs::write(path("mail.py"), "").unwrap();
        assert_eq!(sources.changed(&Clock::real()).await, path("mail.py"));
        std::fs::remove_file(path("mail.py")).unwrap();
        std::fs::remove_file(path("tasks.py")).unwrap();
        assert_eq!(sources.difference(&written(folder.path())), Some(path("tasks.py")));
    }
}
