use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, Home, ServiceKind, Supervisor};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, Value};
use tokio::sync::oneshot;

use super::{items, open, text};
use crate::address::{Place, RedisAddress};
use crate::failure;

/// What takes the messages that a server sends without being asked.
pub(crate) type Pushes = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// How long one try to connect lasts at most.
const DIAL: Duration = Duration::from_secs(3);

/// Makes connections. All of a store's live on a thread of its own: one that a caller's runtime drove would end with it,
/// and would stand still while user code blocks it.
pub(crate) struct Wire {
    pub(crate) address: RedisAddress,
    pub(crate) location: String,
    pub(crate) clock: Clock,
    pub(crate) limit: Duration,
    pub(crate) services: Supervisor,
    home: Home,
    /// Where the sentinels' primary was last.
    primary: Mutex<Option<(String, u16)>>,
}

impl Wire {
    pub(crate) fn new(address: RedisAddress, clock: &Clock, limit: Duration) -> Result<Arc<Self>> {
        let home = Home::start("cardoon-redis");
        let home = home.map_err(|error| Error::new(Code::Internal, "cannot start a thread").source(error))?;
        Ok(Arc::new(Self {
            location: address.location(),
            address,
            clock: clock.clone(),
            limit,
            services: Supervisor::new(),
            home,
            primary: Mutex::default(),
        }))
    }

    /// Starts a service on the connections' thread.
    pub(crate) fn spawn<F>(&self, kind: ServiceKind, service: F)
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        let _home = self.home.handle().enter();
        drop(self.services.spawn(kind, service));
    }

    /// Starts `work` on the connections' thread, where an answer of the server wakes no other one, and waits for what it
    /// comes to. It goes on if nobody waits for it any more.
    ///
    /// # Errors
    ///
    /// It panicked, or the thread is gone.
    pub(crate) fn at_home<T, F>(&self, work: F) -> impl Future<Output = Result<T>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.spawn(ServiceKind::StoreWriter, async move {
            // Nobody waits any more if this fails.
            let _ = answer.send(work.await);
            Ok(())
        });
        async move { answered.await.map_err(|_| failure::broken_off()) }
    }

    /// Opens a connection. Tries once.
    pub(crate) async fn dial(self: &Arc<Self>, pushes: Pushes) -> Result<MultiplexedConnection> {
        let (answer, dialed) = oneshot::channel();
        let wire = Arc::clone(self);
        self.spawn(ServiceKind::StoreListener, async move {
            // Nobody waits any more if this fails.
            let _ = answer.send(wire.connect(pushes).await);
            Ok(())
        });
        tokio::select! {
            dialed = dialed => dialed.unwrap_or_else(|_| Err(self.unreachable("connecting was broken off"))),
            () = self.clock.sleep(DIAL) => Err(self.unreachable("connecting took too long")),
        }
    }

    async fn connect(&self, pushes: Pushes) -> Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(DIAL))
            // Each await of ours has a limit of its own, and some answers may take for ever.
            .set_response_timeout(None)
            .set_push_sender(move |info: PushInfo| -> std::result::Result<(), ()> {
                pushes(info);
                Ok(())
            });
        let client = self.client().await?;
        let dialed = client.get_multiplexed_async_connection_with_config(&config).await;
        dialed.map_err(|error| failure::of_client(error, &self.location).applied(cardoon_errors::Applied::No))
    }

    /// A client for where the server is now.
    async fn client(&self) -> Result<Client> {
        let Place::Sentinel { sentinels, name } = &self.address.place else {
            return open::client(&self.address, None);
        };
        for (host, port) in sentinels {
            if let Some(primary) = primary_of(host, *port, name).await {
                let client = open::client(&self.address, Some(&primary))?;
                *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = Some(primary);
                return Ok(client);
            }
        }
        Err(open::no_primary(&self.address))
    }

    /// Opens a connection that blocks its thread, for heartbeats.
    pub(crate) fn dial_blocking(&self, limit: Duration) -> Result<redis::Connection> {
        let primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let client = open::client(&self.address, primary.as_ref())?;
        let connected = client.get_connection_with_timeout(limit).and_then(|connection| {
            connection.set_read_timeout(Some(limit))?;
            connection.set_write_timeout(Some(limit))?;
            Ok(connection)
        });
        connected.map_err(|error| failure::of_client(error, &self.location))
    }

    /// What `answer` is, if it comes before the limit.
    pub(crate) async fn within<T>(&self, limit: Duration, answer: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = answer => Some(answer),
            () = self.clock.sleep(limit) => None,
        }
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(Code::Unreachable, format!("{} cannot be reached", self.location)).checked(why)
    }
}

async fn primary_of(host: &str, port: u16, name: &str) -> Option<(String, u16)> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DIAL / 3))
        .set_response_timeout(Some(DIAL / 3));
    let client = open::sentinel(host, port).ok()?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await.ok()?;
    let mut command = redis::cmd("SENTINEL");
    command.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
    let answer: Value = connection.send_packed_command(&command).await.ok()?;
    let mut parts = items(answer, "SENTINEL").ok()?.into_iter();
    let host = text(parts.next()?, "SENTINEL").ok()?;
    let port = text(parts.next()?, "SENTINEL").ok()?.parse().ok()?;
    Some((host, port))
}
