//! A query on a thread of its own. While it computes nothing else of its thread goes on, not even what tells how far it
//! is, or what hears that it is not wanted any more.

use cardoon_errors::{Code, Error, Result};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// What `query` answers. It ends when this is dropped, as soon as it waits for anything.
pub(crate) async fn beside<T: Send + 'static>(
    query: impl AsyncFnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (_wanted, unwanted) = oneshot::channel::<()>();
    let runtime = Handle::current();
    let running = tokio::task::spawn_blocking(move || {
        runtime.block_on(async {
            tokio::select! {
                answer = query() => answer,
                _ = unwanted => Err(Error::new(Code::QueryFailed, "the query was given up")),
            }
        })
    });
    running.await.unwrap_or_else(|lost| Err(Error::new(Code::Internal, "the query broke down").source(lost)))
}
