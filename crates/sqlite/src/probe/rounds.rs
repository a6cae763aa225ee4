use std::path::Path;
use std::time::Duration;

use cardoon_errors::{Code, Error, Finding, Report};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::contents::{self, Opened};
use super::place;
use crate::guard;

/// How long one step may take.
const STEP: Duration = Duration::from_millis(1500);

/// From where on a size is told of, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeLimits {
    /// A write-ahead log that is longer does not shrink. Default: 256 MiB; it is shortened to 64 MiB whenever it can be.
    pub log: u64,
    /// A larger database is not read as a whole to find damage. Default: 256 MiB.
    pub read: u64,
    /// With less free space the disk is nearly full. Default: 256 MiB.
    pub room: u64,
    /// With less free space the disk is full. Default: 4 MiB.
    pub full: u64,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl Default for ProbeLimits {
    fn default() -> Self {
        Self { log: 256 * MEBIBYTE, read: 256 * MEBIBYTE, room: 256 * MEBIBYTE, full: 4 * MEBIBYTE }
    }
}

/// Asks the database at `path` everything that may be wrong with it, in a beginner's order, and reports each finding as it
/// comes. Answers whether a store can be opened there without changing anything.
///
/// All steps together take less than 8 s, also on a file system that does not answer.
pub async fn probe(path: &Path, limits: &ProbeLimits, report: Report<'_>) -> bool {
    match rounds(path, limits, report).await {
        Ok(()) => true,
        Err(finding) => {
            report(finding);
            false
        }
    }
}

/// Ends with the finding after which nothing further can be asked.
async fn rounds(path: &Path, limits: &ProbeLimits, report: Report<'_>) -> Result<(), Finding> {
    guard::check_sqlite_version().map_err(|error| Finding::error("library", error))?;
    let (asked, bounds) = (path.to_owned(), limits.clone());
    let found = bounded("file", path, move || place::look(&asked, &bounds)).await?;
    let path = pass_on(found, report)?;
    let (asked, bounds) = (path.clone(), limits.clone());
    let found = bounded("owner", &path, move || contents::open(&asked, &bounds)).await?;
    let opened = pass_on(found, report)?;
    report(sound(opened, limits, &path).await);
    Ok(())
}

/// Findings, and what to go on with, or the finding that ends it.
pub(super) type Found<T> = (Vec<Finding>, Result<T, Finding>);

fn pass_on<T>((findings, outcome): Found<T>, report: Report<'_>) -> Result<T, Finding> {
    findings.into_iter().for_each(report);
    outcome
}

/// What `step` finds on a thread where it may block, if it does in time.
async fn bounded<T: Send + 'static>(
    check: &'static str,
    path: &Path,
    step: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Finding> {
    let late = || {
        let error = Error::new(Code::NoAnswer, format!("{} did not answer in time", path.display()));
        Finding::error(check, error.hint("look at the disk: df, mount, dmesg"))
    };
    let done = timeout(STEP, tokio::task::spawn_blocking(step)).await;
    done.map_err(|_| late())?.map_err(|broken| {
        Finding::error(check, Error::new(Code::Internal, "a check broke off").source(broken))
    })
}

/// Reads the database to find damage, unless that would take long.
async fn sound(opened: Opened, limits: &ProbeLimits, path: &Path) -> Finding {
    const CHECK: &str = "integrity";
    if opened.bytes > limits.read {
        let size = opened.bytes / MEBIBYTE;
        return Finding::unchecked(
            CHECK,
            format!("the database has {size} MiB; to read all of it: cardoon db check"),
        );
    }
    let interrupt = opened.db.get_interrupt_handle();
    let (answer, answered) = oneshot::channel();
    let asked = path.to_owned();
    // Dropping the handle does not end it; interrupting it does.
    drop(tokio::task::spawn_blocking(move || {
        // Nobody waits any more if this fails.
        let _ = answer.send(contents::sound(CHECK, &opened.db, &asked));
    }));
    match timeout(STEP, answered).await {
        Ok(Ok(finding)) => finding,
        Ok(Err(_)) => Finding::unchecked(CHECK, "the check broke off"),
        Err(_) => {
            interrupt.interrupt();
            let limit = STEP.as_millis();
            Finding::unchecked(
                CHECK,
                format!("it takes longer than {limit} ms; to read all of it: cardoon db check"),
            )
        }
    }
}
