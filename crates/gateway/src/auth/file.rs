use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use cardoon_core::BootInstant;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;

use super::Tokens;

/// How old what is known of the file may be.
const FRESH: Duration = Duration::from_secs(1);

/// Where a gateway finds its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenPlace {
    /// Here as soon as somebody makes one. Until then a gateway on loopback asks for none.
    Usual(PathBuf),
    /// In a file that somebody named: without it a gateway does not start.
    Named(PathBuf),
}

/// The file that the tokens are kept in. A gateway that runs sees a change of it within a second.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    /// `None` as long as there was no file.
    tokens: Option<Arc<Tokens>>,
    /// By which a change is noticed: a file is replaced whole.
    state: Option<(SystemTime, u64)>,
    looked_at: BootInstant,
}

impl TokenPlace {
    pub fn path(&self) -> &Path {
        match self {
            Self::Usual(path) | Self::Named(path) => path,
        }
    }

    /// Errors: `CD7009` for a file that cannot be read, or was named and is not there.
    pub(crate) fn open(&self, clock: &Clock) -> Result<TokenFile> {
        let file = TokenFile::open(self.path(), clock)?;
        match self {
            Self::Named(path) if file.tokens().is_none() => {
                Err(Error::new(Code::BadTokenFile, format!("there is no file {}", path.display()))
                    .hint("make it with its first token: cardoon gateway token create NAME --scope send"))
            }
            _ => Ok(file),
        }
    }
}

impl TokenFile {
    /// Reads the file, if there is one.
    ///
    /// Errors: `CD7009` for a file that cannot be read.
    pub fn open(path: impl Into<PathBuf>, clock: &Clock) -> Result<Self> {
        let path = path.into();
        let known =
            Known { state: state(&path), tokens: read(&path)?.map(Arc::new), looked_at: clock.boot() };
        Ok(Self { path, clock: clock.clone(), known: Mutex::new(known) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tokens as they are now; `None` as long as there was no file. A file that is gone again leaves no token, so that nobody
    /// is let in; one that cannot be read any more leaves them as they were.
    pub fn tokens(&self) -> Option<Arc<Tokens>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.boot();
        if now.since(known.looked_at) >= FRESH {
            known.looked_at = now;
            self.look(&mut known);
        }
        known.tokens.clone()
    }

    /// Changes the tokens in the file. Who else wants to change them waits meanwhile.
    ///
    /// Errors: `CD7009` for a file that cannot be read or written, and what `change` answers; nothing is changed then.
    pub fn change<T>(&self, change: impl FnOnce(&mut Tokens) -> Result<T>) -> Result<T> {
        let unwritten = |error| unusable(&self.path, "written").source(error);
        let _turn = take_turn(&self.path).map_err(unwritten)?;
        let tokens = read(&self.path)?.unwrap_or_default();
        let mut changed = tokens.clone();
        let answer = change(&mut changed)?;
        // A file without tokens closes the gateway, so none comes of looking for one to revoke.
        if changed != tokens {
            write(&self.path, &changed).map_err(unwritten)?;
        }
        Ok(answer)
    }

    fn look(&self, known: &mut Known) {
        let state = state(&self.path);
        if state == known.state {
            return;
        }
        match read(&self.path) {
            Ok(Some(tokens)) => known.tokens = Some(Arc::new(tokens)),
            Ok(None) => {
                tracing::warn!(file = %self.path.display(), "the tokens are gone: nobody is let in");
                known.tokens = Some(Arc::default());
            }
            Err(error) => return tracing::error!(%error, "the tokens stay as they were"),
        }
        known.state = state;
    }
}

fn state(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// The tokens in the file; `None` if there is no file.
fn read(path: &Path) -> Result<Option<Tokens>> {
    match std::fs::read(path) {
        Ok(bytes) => {
            let tokens = serde_json::from_slice(&bytes);
            tokens.map(Some).map_err(|error| unusable(path, "understood").source(error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, "read").source(error)),
    }
}

/// Waits until nobody else changes the tokens. The lock is a file of its own, since theirs is replaced; it is given back when the
/// answer is dropped.
fn take_turn(path: &Path) -> std::io::Result<File> {
    std::fs::create_dir_all(folder(path))?;
    let turn =
        File::options().create(true).truncate(false).write(true).open(path.with_added_extension("lock"))?;
    turn.lock()?;
    Ok(turn)
}

/// Replaces the file in one step. Temporary files are made for their owner's eyes only.
fn write(path: &Path, tokens: &Tokens) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder(path))?;
    file.write_all(&serde_json::to_vec_pretty(tokens)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unusable(path: &Path, how: &str) -> Error {
    let path = path.display();
    Error::new(Code::BadTokenFile, format!("the tokens in {path} cannot be {how}"))
        .hint(format!("look at the file and its rights: ls -l {path}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Scope;
    use cardoon_core::Timestamp;
    use cardoon_runtime::ManualClock;

    fn knows(file: &TokenFile, text: &str) -> bool {
        file.tokens().unwrap().find(text).is_some()
    }

    #[test]
    fn a_gateway_that_runs_sees_a_change_and_outlives_a_broken_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tokens.json");
        let manual = ManualClock::new(Timestamp(0));
        let file = TokenFile::open(&path, &Clock::manual(&manual)).unwrap();
        assert_eq!(file.tokens(), None);
        let text = file.change(|tokens| tokens.create("a", &[Scope::Read], Timestamp(0))).unwrap();
        manual.advance(FRESH);
        assert!(knows(&file, &text));
        for broken in ["{", "null"] {
            std::fs::write(&path, broken).unwrap();
            manual.advance(FRESH);
            assert!(knows(&file, &text));
            assert_eq!(TokenFile::open(&path, &Clock::real()).unwrap_err().code(), Code::BadTokenFile);
        }
    }

    #[test]
    fn tokens_that_are_gone_are_still_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let manual = ManualClock::new(Timestamp(0));
        let file = TokenFile::open(&path, &Clock::manual(&manual)).unwrap();
        assert!(!file.change(|tokens| Ok(tokens.revoke("nobody"))).unwrap());
        manual.advance(FRESH);
        assert_eq!(file.tokens(), None, "nobody made a token");
        file.change(|tokens| tokens.create("a", &[Scope::Read], Timestamp(0))).unwrap();
        assert!(file.change(|tokens| Ok(tokens.revoke("a"))).unwrap());
        manual.advance(FRESH);
        assert_eq!(file.tokens(), Some(Arc::default()));
        assert_eq!(TokenFile::open(&path, &Clock::real()).unwrap().tokens(), Some(Arc::default()));
        std::fs::remove_file(&path).unwrap();
        manual.advance(FRESH);
        assert_eq!(file.tokens(), Some(Arc::default()));
    }

    #[test]
    fn changes_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let create = |name: String| {
            let file = TokenFile::open(&path, &Clock::real()).unwrap();
            file.change(|tokens| tokens.create(&name, &[Scope::Read], Timestamp(0))).unwrap()
        };
        let (create, start) = (&create, &std::sync::Barrier::new(20));
        std::thread::scope(|scope| {
            for n in 0..20 {
                scope.spawn(move || {
                    start.wait();
                    create(n.to_string())
                });
            }
        });
        assert_eq!(read(&path).unwrap().unwrap().iter().count(), 20);
    }

    #[test]
    fn a_file_that_was_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let named = TokenPlace::Named(path.clone());
        assert_eq!(named.open(&Clock::real()).unwrap_err().code(), Code::BadTokenFile);
        assert_eq!(TokenPlace::Usual(path.clone()).open(&Clock::real()).unwrap().tokens(), None);
        std::fs::write(&path, r#"{"tokens": []}"#).unwrap();
        assert_eq!(named.open(&Clock::real()).unwrap().tokens(), Some(Arc::default()));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.json");
        let file = TokenFile::open(&path, &Clock::real()).unwrap();
        file.change(|tokens| tokens.create("a", &[Scope::Read], Timestamp(0))).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
