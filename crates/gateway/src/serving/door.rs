use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::head::LARGEST;
use super::patient::Patient;

/// How long a request's headers may take to come, and how long a connection may stay without one.
const HEADERS: Duration = Duration::from_secs(10);
/// After a failure to take a connection, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 1\r\nconnection: close\r\n\r\n";

/// Lets connections in, as many as there are places.
pub(crate) struct Door {
    router: Router,
    places: Arc<Semaphore>,
    services: Supervisor,
    clock: Clock,
    http: http1::Builder,
}

/// Takes connections until it is dropped.
pub(crate) async fn serve(listener: TcpListener, door: Door) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => door.let_in(stream),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                door.clock.sleep(PAUSE).await;
            }
        }
    }
}

impl Door {
    pub(crate) fn new(router: Router, connections: usize, services: Supervisor, clock: Clock) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(LARGEST);
        Self { router, places: Arc::new(Semaphore::new(connections)), services, clock, http }
    }

    fn let_in(&self, stream: TcpStream) {
        match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => self.attend(stream, place),
            Err(_) => turn_away(stream),
        }
    }

    fn attend(&self, stream: TcpStream, place: OwnedSemaphorePermit) {
        // An answer is written whole, so there is nothing to gather.
        let _ = stream.set_nodelay(true);
        let io = TokioIo::new(Patient::new(stream, self.clock.clone()));
        let connection = self.http.serve_connection(io, TowerToHyperService::new(self.router.clone()));
        let stopping = self.services.stopping();
        self.services.spawn(ServiceKind::Connection, async move {
            let _place = place;
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
            Ok(())
        });
    }
}

/// Says that there is no place, if the connection takes that at once.
fn turn_away(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(FULL);
    }
}
