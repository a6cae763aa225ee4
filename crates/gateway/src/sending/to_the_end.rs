use std::future::Future;

use cardoon_errors::{Applied, Code, Error, Result};
use cardoon_runtime::{ServiceKind, Supervisor};
use tokio::sync::oneshot;

/// Does `work` to its end, also if whoever asked for it hangs up: so that what was sent is marked as sent.
pub(crate) async fn to_the_end<T: Send + 'static>(
    services: &Supervisor,
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let (answer, answered) = oneshot::channel();
    services.spawn(ServiceKind::Connection, async move {
        // Who asked may have gone.
        let _ = answer.send(work.await);
        Ok(())
    });
    let broken_off = |_| Error::new(Code::Internal, "a request was broken off").applied(Applied::Unknown);
    answered.await.map_err(broken_off)?
}
