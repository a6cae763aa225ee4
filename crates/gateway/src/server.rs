use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cardoon::App;
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::Limits;
use cardoon_runtime::{Clock, Supervisor};
use tokio::net::TcpListener;

use crate::GatewayOptions;
use crate::auth::TokenFile;
use crate::events::Hub;
use crate::metrics::Meter;
use crate::routes;
use crate::sending::{Keys, Sender};
use crate::serving::{Door, serve};
use crate::shared::{Inner, Shared};

/// How long requests that are under way may take when the gateway stops.
const GRACE: Duration = Duration::from_secs(10);

/// A gateway whose port is open.
pub struct Gateway {
    listener: TcpListener,
    address: SocketAddr,
    shared: Shared,
    connections: usize,
}

impl Gateway {
    /// Opens the port. `app` is how tasks are sent, and to which stores; `limits` what a message may demand.
    ///
    /// Errors: `CD7007` for an address that others could reach while there is no token, `CD7008` if it cannot be listened on,
    /// `CD7009` for a file of tokens that cannot be read, or was named and is not there.
    pub async fn bind(app: App, limits: Limits, options: &GatewayOptions, clock: &Clock) -> Result<Self> {
        let tokens = options.tokens.as_ref().map(|place| place.open(clock)).transpose()?;
        let on_loopback = options.listen.ip().is_loopback();
        let known = tokens.as_ref().and_then(TokenFile::tokens);
        if !on_loopback && known.is_none_or(|tokens| tokens.is_empty()) {
            return Err(open_address(options.listen));
        }
        let listening = async {
            let listener = TcpListener::bind(options.listen).await?;
            Ok((listener.local_addr()?, listener))
        };
        let (address, listener) = listening.await.map_err(|error| not_listening(options.listen, error))?;
        let services = Supervisor::new();
        let meter = Arc::new(Meter::default());
        let shared = Shared::new(Inner {
            sender: Sender::start(&app, &services, &meter),
            keys: Keys::new(Arc::clone(&app.stores().coord), clock.clone()),
            hub: Hub::start(app.stores().broker.clone(), &services, Arc::clone(&meter), clock),
            app,
            limits,
            clock: clock.clone(),
            services,
            meter,
            tokens,
            on_loopback,
            body_limit: options.body_limit,
            patient: options.patient.clone(),
            examining: tokio::sync::Mutex::default(),
        });
        Ok(Self { listener, address, shared, connections: options.connections })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether requests need a token now.
    pub fn needs_token(&self) -> bool {
        !self.shared.on_loopback || self.shared.tokens.as_ref().and_then(TokenFile::tokens).is_some()
    }

    /// Answers requests until `shutdown` is over; then takes no more, finishes those that are under way, at most 10 s, and
    /// ends the streams of events.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let Self { listener, shared, connections, .. } = self;
        let (services, clock) = (shared.services.clone(), shared.clock.clone());
        let door = Door::new(routes::router(shared), connections, services.clone(), clock);
        tokio::select! {
            () = serve(listener, door) => {}
            () = shutdown => {}
        }
        if !services.shut_down(GRACE).await {
            tracing::warn!("some requests were broken off");
        }
        Ok(())
    }
}

fn open_address(address: SocketAddr) -> Error {
    Error::new(Code::OpenAddress, format!("others could reach {address}, and there is no token"))
        .hint("make one: cardoon gateway token create NAME --scope send; or listen on 127.0.0.1")
}

fn not_listening(address: SocketAddr, error: std::io::Error) -> Error {
    Error::new(Code::CannotListen, format!("cannot listen on {address}"))
        .source(error)
        .hint("take another port: --listen 127.0.0.1:0 is a free one")
}
