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

/// The file that the tokens are kept in. A gateway that runs sees a change of it within a second.
#[derive(Debug)]
pub struct TokenFile {
    path: PathBuf,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    tokens: Arc<Tokens>,
    /// By which a change is noticed: a file is replaced whole.
    state: Option<(SystemTime, u64)>,
    looked_at: BootInstant,
}

impl TokenFile {
    /// Reads the file; one that is not there holds none.
    ///
    /// Errors: `CD7009` for a file that cannot be read.
    pub fn open(path: impl Into<PathBuf>, clock: &Clock) -> Result<Self> {
        let path = path.into();
        let known = Known { state: state(&path), tokens: Arc::new(read(&path)?), looked_at: clock.boot() };
        Ok(Self { path, clock: clock.clone(), known: Mutex::new(known) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The tokens as they are now. A file that cannot be read any more leaves them as they were.
    pub fn tokens(&self) -> Arc<Tokens> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.boot();
        if now.since(known.looked_at) >= FRESH {
            known.looked_at = now;
            self.look(&mut known);
        }
        Arc::clone(&known.tokens)
    }

    /// Changes the tokens in the file.
    ///
    /// Errors: `CD7009` for a file that cannot be read or written, and what `change` answers; nothing is changed then.
    pub fn change<T>(&self, change: impl FnOnce(&mut Tokens) -> Result<T>) -> Result<T> {
        let mut tokens = read(&self.path)?;
        let answer = change(&mut tokens)?;
        write(&self.path, &tokens).map_err(|error| unusable(&self.path, "written").source(error))?;
        Ok(answer)
    }

    fn look(&self, known: &mut Known) {
        let state = state(&self.path);
        if state == known.state {
            return;
        }
        match read(&self.path) {
            Ok(tokens) => (known.tokens, known.state) = (Arc::new(tokens), state),
            Err(error) => tracing::error!(%error, "the tokens stay as they were"),
        }
    }
}

fn state(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(path: &Path) -> Result<Tokens> {
    match std::fs::read(path) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| unusable(path, "understood").source(error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Tokens::default()),
        Err(error) => Err(unusable(path, "read").source(error)),
    }
}

/// Replaces the file in one step. Temporary files are made for their owner's eyes only.
fn write(path: &Path, tokens: &Tokens) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&serde_json::to_vec_pretty(tokens)?)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
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

    #[test]
    fn a_gateway_that_runs_sees_a_change_and_outlives_a_broken_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tokens.json");
        let manual = ManualClock::new(Timestamp(0));
        let file = TokenFile::open(&path, &Clock::manual(&manual)).unwrap();
        assert!(file.tokens().is_empty());
        let text = file.change(|tokens| tokens.create("a", &[Scope::Read], Timestamp(0))).unwrap();
        manual.advance(FRESH);
        assert!(file.tokens().find(&text).is_some());
        std::fs::write(&path, "{").unwrap();
        manual.advance(FRESH);
        assert!(file.tokens().find(&text).is_some());
        assert_eq!(TokenFile::open(&path, &Clock::real()).unwrap_err().code(), Code::BadTokenFile);
        std::fs::remove_file(&path).unwrap();
        manual.advance(FRESH);
        assert!(file.tokens().is_empty());
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
