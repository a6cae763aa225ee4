//! Times and sizes that scheduler, executors and clients agree on.

use std::time::Duration;

use tonic::transport::Endpoint;

/// How often an executor says that it is alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);

/// How often an executor tells how far its tasks are.
pub(crate) const TELL: Duration = Duration::from_millis(500);

/// An executor that was silent for so long is lost, in seconds.
pub(crate) const LOST_AFTER: u64 = 5;

/// A query after which nobody has asked for so long is cancelled, in seconds. Who waits for it asks twice a second.
pub(crate) const ABANDONED_AFTER: u64 = 10;

/// How often the scheduler looks whether the ports of its executors refuse connections.
pub(crate) const PROBE: Duration = Duration::from_millis(500);

/// How long one attempt to connect may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);

/// How long it may take to tell the scheduler that nobody waits for a query.
pub(crate) const CANCEL: Duration = Duration::from_secs(1);

/// The largest message, in bytes: a plan, or a batch of rows.
pub(crate) const MESSAGE: usize = 256 << 20;

/// Files of a finished query go after so many seconds, if whoever asked has not had them removed: a day, in which any answer
/// can be fetched.
pub(crate) const KEPT: u64 = 86_400;

/// `endpoint`, given up when nobody answers there any more. A process that is only busy answers in time.
pub(crate) fn patient(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(Duration::from_secs(LOST_AFTER))
        .keep_alive_timeout(Duration::from_secs(LOST_AFTER))
        .keep_alive_while_idle(true)
}
