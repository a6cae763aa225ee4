//! The process that imports an application.

use std::ffi::OsString;
use std::time::Duration;

use cardoon_children::Greeting;
use cardoon_errors::Result;

use super::application::interpreter;
use crate::session::Session;

/// How long an application may take to be imported, and a child to be ready.
pub(super) const START: Duration = Duration::from_mins(1);

/// The command of the process.
pub(super) fn command(session: &Session, app: &str) -> Vec<OsString> {
    let python = interpreter(session.python.as_deref()).into_os_string();
    vec![python, "-m".into(), "cardoon._zygote".into(), "--app".into(), app.into()]
}

/// Imports the application only to ask what it is.
pub(in crate::commands) async fn greeting(session: &Session, app: &str) -> Result<Greeting> {
    cardoon_children::ask(&command(session, app), START, &session.clock).await
}
