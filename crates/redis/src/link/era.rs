use std::time::Duration;

use cardoon_core::BootInstant;
use tokio_util::sync::CancellationToken;

/// What connections have in common that were made while the server was at one place. When they turn out to lead nowhere,
/// or to a server that is the primary no more, all of them are left together.
#[derive(Debug, Clone)]
pub(crate) struct Era {
    left: CancellationToken,
    pub(super) began: BootInstant,
}

/// How long an answer is waited for that was asked for on a connection that is left now.
pub(super) const AFTERWARDS: Duration = Duration::from_millis(500);

impl Era {
    pub(super) fn new(now: BootInstant) -> Self {
        Self { left: CancellationToken::new(), began: now }
    }

    pub(super) fn end(&self) {
        self.left.cancel();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left.is_cancelled()
    }

    /// Waits until its connections are left.
    pub(crate) async fn over(&self) {
        self.left.cancelled().await;
    }
}
