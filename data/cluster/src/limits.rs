//! Times and sizes that scheduler, executors and clients agree on.

use std::time::Duration;

/// How often an executor says that it is alive.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(1);

/// An executor that was silent for so long is lost, in seconds.
pub(crate) const LOST_AFTER: u64 = 5;

/// How often the scheduler looks whether the ports of its executors refuse connections.
pub(crate) const PROBE: Duration = Duration::from_millis(500);

/// How long one attempt to connect may take.
pub(crate) const CONNECT: Duration = Duration::from_secs(3);

/// The largest message, in bytes: a plan, or a batch of rows.
pub(crate) const MESSAGE: usize = 256 << 20;

/// Files of a finished query that nobody fetches any more go after so many seconds.
pub(crate) const KEPT: u64 = 300;
