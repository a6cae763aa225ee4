//! Looking after the database that a URL names.

use std::path::{Path, PathBuf};

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
pub use cardoon_sqlite::care::{BackupReport, CheckReport, Finding, Messages, Sizes, Space, VacuumReport};

use crate::url::Target;

/// The database file that `url` names.
///
/// # Errors
/// `CD1007` for a store that is no file, with what looks after it instead; and those of a URL that cannot be read.
pub fn file(url: &str) -> Result<PathBuf> {
    match Target::parse(url)? {
        Target::Sqlite(path) => Ok(path),
        Target::Memory => Err(no_file("a store in memory is no file")
            .hint("name a database: --broker sqlite:PATH")),
        #[cfg(feature = "redis")]
        Target::Redis(_) => Err(no_file("a Redis server looks after its data itself").hint(
            "backup: redis-cli BGSAVE and its append-only file; check: redis-check-aof, redis-cli INFO persistence",
        )),
    }
}

/// See [`cardoon_sqlite::care::check`].
pub async fn check(path: &Path, full: bool) -> Result<CheckReport> {
    let path = path.to_owned();
    blocking(move || cardoon_sqlite::care::check(&path, full)).await
}

/// See [`cardoon_sqlite::care::backup`].
pub async fn backup(path: &Path, target: &Path, replace: bool, clock: &Clock) -> Result<BackupReport> {
    let (path, target, clock) = (path.to_owned(), target.to_owned(), clock.clone());
    blocking(move || cardoon_sqlite::care::backup(&path, &target, replace, &clock)).await
}

/// See [`cardoon_sqlite::care::vacuum`].
pub async fn vacuum(path: &Path, space: Space) -> Result<VacuumReport> {
    let path = path.to_owned();
    blocking(move || cardoon_sqlite::care::vacuum(&path, space)).await
}

fn no_file(message: &str) -> Error {
    Error::new(Code::Unsupported, message)
}

/// These take as long as the file is large, so they do not run on the runtime's own threads.
async fn blocking<T: Send + 'static>(job: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(job).await;
    done.map_err(|error| {
        Error::new(Code::Internal, "looking after the database was broken off").source(error)
    })?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "redis")]
    #[test]
    fn only_a_store_that_is_a_file_is_looked_after() {
        assert!(file("sqlite:tasks.db").unwrap().ends_with("tasks.db"));
        for url in ["memory:", "redis://:s3cret@host/0"] {
            let error = file(url).unwrap_err();
            assert_eq!(error.code(), Code::Unsupported);
            assert!(error.next_step().is_some() && !format!("{error:?}").contains("s3cret"), "{error:?}");
        }
    }
}
