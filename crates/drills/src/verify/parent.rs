use std::time::Duration;

use cardoon_errors::Result;
use cardoon_runtime::Clock;

/// The variable in which a verification tells its processes its number.
pub(super) const OF_VERIFICATION: &str = "CARDOON_VERIFICATION";

/// Between two looks whether whoever started this process is still there.
const LOOK: Duration = Duration::from_millis(500);

/// Whether a verification has started this process.
pub fn is_of_verification() -> bool {
    std::env::var_os(OF_VERIFICATION).is_some()
}

/// Does `work` and ends with the process that started this one, also if that was killed: nobody would count what is done
/// then. Answers `None` if it was that end.
pub async fn while_parent_lives<T>(work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    let clock = Clock::real();
    tokio::select! {
        done = work => done.map(Some),
        () = orphaned(&clock) => Ok(None),
    }
}

/// A process that is killed leaves its children to another parent at once, and its number later. Whoever began after the
/// first sees the second.
#[cfg(unix)]
async fn orphaned(clock: &Clock) {
    let verification = std::env::var(OF_VERIFICATION).ok().and_then(|pid| pid.parse().ok());
    let verification = verification.and_then(rustix::process::Pid::from_raw);
    let is_gone =
        || verification.map(rustix::process::test_kill_process) == Some(Err(rustix::io::Errno::SRCH));
    let parent = rustix::process::getppid();
    while rustix::process::getppid() == parent && !is_gone() {
        clock.sleep(LOOK).await;
    }
}

#[cfg(not(unix))]
async fn orphaned(_: &Clock) {
    std::future::pending().await
}
