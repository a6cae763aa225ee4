//! Background services: one place that says what their error and their end mean.

use std::future::Future;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts background services and ends them together. Cheap to clone; all clones are one supervisor.
#[derive(Debug, Clone, Default)]
pub struct Supervisor {
    stop: CancellationToken,
    services: TaskTracker,
}

/// The services that exist. Each has a fixed answer to "and if it fails?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServiceKind {
    /// Drives a worker's engine.
    Engine,
    /// Takes deliveries from the broker.
    Claimer,
    /// Writes verdicts to the broker.
    Settler,
    /// Renews leases.
    Heartbeat,
    /// Puts back what dead workers held.
    Rescuer,
    /// Listens for revokes.
    RevokeListener,
    /// Listens for orders to a worker.
    OrderListener,
    /// Executes one user task.
    TaskRun,
    /// Starts, feeds and watches the child processes of a pool.
    Children,
    /// Serves one connection of a tool's own server, such as the SMTP sink.
    Connection,
    /// Writes events and progress, which may be lost.
    EventWriter,
    /// Changes a store's file for all of its process.
    StoreWriter,
    /// Hears of changes to a store that other processes made.
    StoreListener,
}

/// What a service's error means for its supervisor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// All services are told to stop.
    StopAll,
    /// It is logged.
    Log,
}

impl ServiceKind {
    pub fn on_error(self) -> OnError {
        match self {
            Self::Engine | Self::Claimer | Self::Settler | Self::Heartbeat | Self::Children => {
                OnError::StopAll
            }
            Self::Rescuer
            | Self::RevokeListener
            | Self::OrderListener
            | Self::TaskRun
            | Self::Connection
            | Self::EventWriter
            | Self::StoreWriter
            | Self::StoreListener => OnError::Log,
        }
    }
}

impl Supervisor {
    pub fn new() -> Self {
        Self::default()
    }

    /// Fires when the services are to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Starts `service` on the current tokio runtime.
    pub fn spawn<F>(&self, kind: ServiceKind, service: F) -> JoinHandle<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let watched = Watched { kind, stop: self.stop.clone() };
        self.services.spawn(async move {
            if let Err(error) = service.await {
                watched.report(&error);
            }
        })
    }

    /// Starts `service` on a thread of its own, named after `kind`.
    pub fn spawn_thread<F>(
        &self,
        kind: ServiceKind,
        service: F,
    ) -> std::io::Result<std::thread::JoinHandle<()>>
    where
        F: FnOnce(CancellationToken) -> Result<()> + Send + 'static,
    {
        let stop = self.stop.clone();
        let alive = self.services.token();
        std::thread::Builder::new().name(format!("cardoon-{kind:?}").to_lowercase()).spawn(move || {
            let _alive = alive;
            let watched = Watched { kind, stop: stop.clone() };
            if let Err(error) = service(stop) {
                watched.report(&error);
            }
        })
    }

    /// Tells all services to stop and waits for them, at most `limit`. Returns whether all have ended.
    pub async fn shut_down(&self, limit: Duration) -> bool {
        self.stop.cancel();
        self.services.close();
        tokio::time::timeout(limit, self.services.wait()).await.is_ok()
    }
}

/// A service that runs. One that panics has failed: nobody would notice that it is gone.
struct Watched {
    kind: ServiceKind,
    stop: CancellationToken,
}

impl Watched {
    fn report(&self, error: &Error) {
        match self.kind.on_error() {
            OnError::Log => tracing::warn!(service = ?self.kind, %error, "service failed"),
            OnError::StopAll => {
                tracing::error!(service = ?self.kind, %error, "service failed, stopping");
                self.stop.cancel();
            }
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.report(&Error::new(Code::Internal, "it panicked"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_vital_service_that_panics_stops_all_on_a_runtime_and_on_a_thread() {
        let supervisor = Supervisor::new();
        supervisor.spawn(ServiceKind::Settler, async { panic!("a bug") });
        supervisor.stopping().cancelled().await;
        let supervisor = Supervisor::new();
        supervisor.spawn_thread(ServiceKind::Heartbeat, |_| panic!("a bug")).unwrap();
        supervisor.stopping().cancelled().await;
        assert!(supervisor.shut_down(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_panic_in_a_users_task_stops_nothing() {
        let supervisor = Supervisor::new();
        let run = supervisor.spawn(ServiceKind::TaskRun, async { panic!("the user's") });
        assert!(run.await.unwrap_err().is_panic());
        assert!(!supervisor.stopping().is_cancelled());
    }

    #[tokio::test]
    async fn the_failure_of_a_vital_service_stops_all() {
        let supervisor = Supervisor::new();
        let stopping = supervisor.stopping();
        supervisor
            .spawn(ServiceKind::EventWriter, async { Err(Error::new(Code::Internal, "lost an event")) });
        supervisor.spawn(ServiceKind::Settler, async { Err(Error::new(Code::DiskFull, "cannot settle")) });
        stopping.cancelled().await;
        assert!(supervisor.shut_down(Duration::from_secs(5)).await);
        assert!(supervisor.shut_down(Duration::from_secs(5)).await, "stopping twice is harmless");
    }
}
