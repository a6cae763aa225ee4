//! What an application is, for those who make no children.

use std::ffi::OsString;
use std::time::Duration;

use cardoon_errors::Result;
use cardoon_runtime::Clock;

use crate::greeting::Greeting;
use crate::zygote::Zygote;

/// Has `command` import the application, as [`crate::Options::command`] does, and ends the process when it has said what
/// the application is.
///
/// # Errors
///
/// As [`crate::Prepared::new`].
pub async fn ask(command: &[OsString], patience: Duration, clock: &Clock) -> Result<Greeting> {
    let (mut zygote, greeting) = Zygote::start(command, patience, clock).await?;
    zygote.kill();
    Ok(greeting)
}
