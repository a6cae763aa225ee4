use std::error::Error as StdError;
use std::fmt;

use cardoon_core::{ResultRecord, TaskFailure, TaskId, TaskState};
use cardoon_errors::{Code, Error};

/// The failure of a task behind an [`Error`] with the code `CD3001` or `CD3002`.
///
/// ```
/// use cardoon::prelude::*;
///
/// #[cardoon::task(retries = 0)]
/// fn divide(x: i64, y: i64) -> Result<i64, TaskError> {
///     x.checked_div(y).ok_or_else(|| TaskError::new("DivisionByZero", "y is 0"))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> cardoon::Result<()> {
/// let app = App::inline();
/// let error = app.send(divide::signature(1, 0)).await?.await.unwrap_err();
/// let failure = error.failure().expect("the task failed");
/// assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("DivisionByZero", "y is 0"));
/// # Ok(()) }
/// ```
pub trait ErrorExt {
    /// Kind, message and details of the failure, if this error is that of a task.
    fn failure(&self) -> Option<&TaskFailure>;
}

impl ErrorExt for Error {
    fn failure(&self) -> Option<&TaskFailure> {
        self.source()?.downcast_ref::<Cause>().map(|cause| &cause.0)
    }
}

#[derive(Debug)]
struct Cause(TaskFailure);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        if self.0.details.is_empty() { Ok(()) } else { write!(f, "\n{}", self.0.details) }
    }
}

impl StdError for Cause {}

/// The error of a task that ended without a result.
pub(crate) fn ended_badly(record: &ResultRecord) -> Error {
    let name = name(&record.task, &record.id);
    let (code, what) = match record.state {
        TaskState::Revoked => (Code::TaskRevoked, "was revoked"),
        _ => (Code::TaskFailed, "failed"),
    };
    let hint = format!("cardoon task get {}", record.id);
    match &record.failure {
        None => Error::new(code, format!("{name} {what}")).hint(hint),
        Some(failure) => Error::new(code, format!("{name} {what}: {failure}"))
            .checked(format!("attempt {} on worker `{}`", record.attempt + 1, record.worker))
            .hint(hint)
            .source(Cause(failure.clone())),
    }
}

/// A task as messages name it.
pub(crate) fn name(task: &str, id: &TaskId) -> String {
    format!("task {task} ({id})")
}
