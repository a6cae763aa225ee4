use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};

use super::owner::{Owner, open_made};
use crate::failure;
use crate::guard::beside;
use crate::layout::pause;

/// Ends of the names of what the folder holds.
pub(crate) const WORKER: &str = ".worker";
pub(crate) const BELL: &str = ".bell";

/// The live folder of a database file.
#[derive(Debug)]
pub(crate) struct LiveFolder {
    path: PathBuf,
    /// Open, so that sockets in it can be named however long its path is.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux names files by descriptor"))]
    dir: File,
    /// To whom root gives what it makes here.
    owner: Option<Owner>,
}

impl LiveFolder {
    /// Opens the live folder of the database at `db`; makes it if there is none.
    pub(crate) fn of(db: &Path) -> Result<Self> {
        let (path, owner) = (beside(db, ".live"), Owner::of(db));
        let made = DirBuilder::new().mode(0o777).create(&path);
        let dir = given(made.and_then(|()| open_made(&path)), owner, || File::open(&path));
        let dir = dir.map_err(|error| failure::of_file(error, &path, "open the folder"))?;
        Ok(Self { path, dir, owner })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file in the folder, made if there is none.
    pub(crate) fn file(&self, name: &str) -> Result<File> {
        let path = self.path.join(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let made = options.clone().create_new(true).open(&path);
        let file = given(made, self.owner, || options.open(&path));
        file.map_err(|error| failure::of_file(error, &path, "open"))
    }

    /// Takes the lock on opening, which is held until the answer is dropped.
    pub(crate) fn lock_opening(&self, limit: Duration) -> Result<File> {
        let file = self.file("open")?;
        let mut waited = Duration::ZERO;
        while file.try_lock().is_err() {
            if waited >= limit {
                let path = self.path.join("open");
                return Err(Error::new(
                    Code::DatabaseBusy,
                    "another process is opening the database and does not end",
                )
                .checked(format!("{} is locked", path.display()))
                .hint(format!("find it: fuser {}", path.display())));
            }
            waited += pause(Duration::from_millis(1));
        }
        Ok(file)
    }

    /// A path to socket `name` that is short enough for a socket's address, however deep the folder is.
    #[cfg(target_os = "linux")]
    pub(crate) fn socket_path(&self, name: &str) -> PathBuf {
        use std::os::fd::AsRawFd;
        PathBuf::from(format!("/proc/self/fd/{}/{name}", self.dir.as_raw_fd()))
    }

    /// The path of socket `name`.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn socket_path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Removes a file of the folder. That it is gone already is as good.
    pub(crate) fn remove(&self, name: &str) {
        if let Err(error) = std::fs::remove_file(self.path.join(name))
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::debug!(%error, name, "a live file could not be removed");
        }
    }

    /// The names in the folder that end with `suffix`.
    pub(crate) fn names(&self, suffix: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.path)? {
            if let Ok(name) = entry?.file_name().into_string()
                && name.ends_with(suffix)
            {
                names.push(name);
            }
        }
        Ok(names)
    }
}

/// What was `made` just now, given to its owner, or what is `there` already.
fn given(
    made: io::Result<File>,
    owner: Option<Owner>,
    there: impl FnOnce() -> io::Result<File>,
) -> io::Result<File> {
    match made {
        Ok(file) => {
            if let Some(owner) = owner {
                owner.take(&file);
            }
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => there(),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, chown, symlink};

    use cardoon_runtime::Clock;
    use rustix::process::geteuid;

    use super::*;
    use crate::{SqliteOptions, SqliteStore};

    /// An empty database: of somebody else if root runs the test, else the own one, which nobody else can have.
    fn database() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("tasks.db");
        fs::write(&db, "").unwrap();
        let somebody = if geteuid().is_root() { Some(10_001) } else { None };
        chown(&db, somebody, somebody).unwrap();
        (folder, db)
    }

    fn owner(path: &Path) -> (u32, u32) {
        let found = path.symlink_metadata().unwrap();
        (found.uid(), found.gid())
    }

    #[test]
    fn what_is_made_beside_a_database_belongs_to_its_owner_whoever_makes_it() {
        let (folder, db) = database();
        let _store = SqliteStore::open(&db, &SqliteOptions::default(), &Clock::real()).unwrap();
        LiveFolder::of(&db).unwrap().file("a.worker").unwrap();
        let below = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut made: Vec<PathBuf> = below(folder.path()).chain(below(&beside(&db, ".live"))).collect();
        made.sort();
        let names: Vec<_> = made.iter().map(|path| path.strip_prefix(folder.path()).unwrap()).collect();
        let wanted = ["", "-shm", "-wal", ".live", ".live/a.worker", ".live/open", ".live/turn"];
        let mut wanted: Vec<PathBuf> = wanted.map(|end| format!("tasks.db{end}").into()).into();
        wanted.sort();
        assert_eq!(names, wanted);
        for path in &made {
            assert_eq!(owner(path), owner(&db), "{}", path.display());
        }
    }

    #[test]
    fn a_link_in_the_live_folder_gives_away_nothing_that_it_leads_to() {
        let (folder, db) = database();
        let live = LiveFolder::of(&db).unwrap();
        let foreign = folder.path().join("foreign");
        fs::write(&foreign, "").unwrap();
        let before = owner(&foreign);
        symlink(&foreign, live.path().join("open")).unwrap();
        symlink(folder.path().join("absent"), live.path().join("turn")).unwrap();
        live.file("open").unwrap();
        live.file("turn").unwrap();
        assert_eq!((owner(&foreign), owner(&folder.path().join("absent"))), (before, before));
    }
}
