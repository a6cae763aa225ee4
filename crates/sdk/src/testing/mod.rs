//! Help for the tests of programs that use Cardoon: tasks run at once, in the process, and without a store.
//!
//! [`App::inline`] gives an [`App`] like any other, so that the code under test does not know the difference. What was
//! sent is recorded, and the assertions here say what they found when they fail.
//!
//! ```
//! use cardoon::prelude::*;
//! use cardoon::testing;
//!
//! #[cardoon::task]
//! async fn welcome(customer: u64) -> String {
//!     format!("welcome, customer {customer}")
//! }
//!
//! /// The code under test.
//! async fn sign_up(app: &App, customer: u64) -> cardoon::Result<()> {
//!     app.send(welcome::signature(customer).queue("mail")).await?;
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> cardoon::Result<()> {
//! let app = App::inline();
//! sign_up(&app, 7).await?;
//!
//! testing::assert_sent(&app, welcome::signature(7));
//! testing::assert_sent(&app, welcome::signature(7).queue("mail"));
//! testing::assert_not_sent(&app, welcome::signature(8));
//! # Ok(()) }
//! ```
//!
//! Tasks that take a [`State`](crate::State) get it from [`inline`]:
//!
//! ```
//! use cardoon::prelude::*;
//! use cardoon::testing;
//!
//! struct Prices(u64);
//!
//! #[cardoon::task]
//! fn total(prices: State<Prices>, pieces: u64) -> u64 {
//!     prices.0.0 * pieces
//! }
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> cardoon::Result<()> {
//! let app = testing::inline().state(Prices(5)).build();
//! assert_eq!(app.send(total::signature(3)).await?.await?, 15);
//! # Ok(()) }
//! ```
//!
//! What differs from a worker: a task runs inside `send`, retries follow without a pause (the pauses are recorded in
//! [`Sent::retry_delays`]), a countdown or an ETA is not waited for, time limits are not enforced, and nothing runs in
//! a process of its own.

mod assertions;
mod inline;
mod sent;

use cardoon_worker::TaskError;
use serde::de::DeserializeOwned;

pub use assertions::{assert_not_sent, assert_nothing_sent, assert_sent, assert_sent_times};
pub(crate) use inline::Inline;
pub use inline::InlineBuilder;
pub use sent::Sent;

use crate::{App, TypedSignature};

/// Sets out to make an [`App`] that executes tasks as they are sent.
pub fn inline() -> InlineBuilder {
    InlineBuilder::default()
}

/// Everything that was sent through an inline `app`, first to last. Nothing for any other.
pub fn sent(app: &App) -> Vec<Sent> {
    app.inline_mode().map(Inline::sent).unwrap_or_default()
}

/// Runs a task once, as a worker would: arguments and result take the way through JSON. Nothing is sent or recorded,
/// and a failure is answered as the task raised it, without retries.
///
/// ```
/// use cardoon::prelude::*;
/// use cardoon::{RetryHint, testing};
///
/// #[cardoon::task]
/// fn parse(text: String) -> Result<i64, TaskError> {
///     text.parse().map_err(|_| TaskError::fatal("NotANumber", format!("{text} is no number")))
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let app = App::inline();
/// assert_eq!(testing::perform(&app, parse::signature("12".into())).await, Ok(12));
///
/// let error = testing::perform(&app, parse::signature("twelve".into())).await.unwrap_err();
/// assert_eq!(error.failure.kind, "NotANumber");
/// assert_eq!(error.hint, RetryHint::Never);
/// # }
/// ```
pub async fn perform<T: DeserializeOwned>(app: &App, signature: TypedSignature<T>) -> Result<T, TaskError> {
    match app.inline_mode() {
        Some(inline) => inline.perform(app, signature).await,
        None => Inline::default().perform(app, signature).await,
    }
}
