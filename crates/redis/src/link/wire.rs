use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, Home, ServiceKind, Supervisor};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, Value};
use tokio::sync::oneshot;

use super::{Era, items, open, text};
use crate::address::{Place, RedisAddress};
use crate::failure;

/// What takes the messages that a server sends without being asked.
pub(crate) type Pushes = Arc<dyn Fn(PushInfo) + Send + Sync>;

/// How long the first try to connect lasts at most, and a later one. What is tried while the network swallows everything
/// is given up soon; a line that is only long is waited for.
const FIRST_DIAL: Duration = Duration::from_secs(1);
const LONGEST_DIAL: Duration = Duration::from_secs(3);

/// The pauses between tries to connect: 20 ms, doubled up to 500 ms.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// An era that is younger is not ended: while a failover is under way, all would dial without a pause.
const YOUNG: Duration = Duration::from_millis(500);

/// Makes connections. All of a store's live on a thread of its own: one that a caller's runtime drove would end with it,
/// and would stand still while user code blocks it.
pub(crate) struct Wire {
    pub(crate) address: RedisAddress,
    pub(crate) location: String,
    pub(crate) clock: Clock,
    pub(crate) limit: Duration,
    pub(crate) services: Supervisor,
    home: Home,
    era: Mutex<Era>,
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
            era: Mutex::new(Era::new(clock.boot())),
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

    /// The era that a connection belongs to which is dialed now.
    pub(crate) fn era(&self) -> Era {
        self.era.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All connections of this era are left, unless it has only just begun.
    pub(crate) fn leave(&self, era: &Era) {
        let now = self.clock.boot();
        let mut current = self.era.lock().unwrap_or_else(PoisonError::into_inner);
        if !era.is_over() && now.since(era.began) >= YOUNG {
            era.end();
            *current = Era::new(now);
        }
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

    /// Opens a connection. Tries once, at most for `limit`.
    pub(crate) async fn dial(
        self: &Arc<Self>,
        pushes: Pushes,
        limit: Duration,
    ) -> Result<MultiplexedConnection> {
        let (answer, dialed) = oneshot::channel();
        let wire = Arc::clone(self);
        self.spawn(ServiceKind::StoreListener, async move {
            // Nobody waits any more if this fails.
            let _ = answer.send(wire.connect(pushes, limit).await);
            Ok(())
        });
        tokio::select! {
            dialed = dialed => dialed.unwrap_or_else(|_| Err(self.unreachable("connecting was broken off"))),
            () = self.clock.sleep(limit) => Err(self.unreachable("connecting took too long")),
        }
    }

    async fn connect(&self, pushes: Pushes, limit: Duration) -> Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(limit))
            // Each await of ours has a limit of its own, and some answers may take for ever.
            .set_response_timeout(None)
            .set_push_sender(move |info: PushInfo| -> std::result::Result<(), ()> {
                pushes(info);
                Ok(())
            });
        let client = self.client(limit).await?;
        let dialed = client.get_multiplexed_async_connection_with_config(&config).await;
        dialed.map_err(|error| failure::of_dial(error, &self.location))
    }

    /// A client for where the server is now. `limit`: how long all may take that is to be done to find and to reach it.
    async fn client(&self, limit: Duration) -> Result<Client> {
        let Place::Sentinel { sentinels, name } = &self.address.place else {
            return open::client(&self.address, None);
        };
        // None of those that do not answer may take the time that the others need.
        let share = limit / (sentinels.len() as u32 + 1);
        for (host, port) in sentinels {
            if let Some(primary) = primary_of(host, *port, name, share).await {
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
        // The client waits so long for each of two answers: to the login, and to the choice of the database.
        let connected = client.get_connection_with_timeout(limit / 2).and_then(|connection| {
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

/// How one who wants a connection tries again and again.
#[derive(Debug)]
pub(crate) struct Patience {
    dial: Duration,
    pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { dial: FIRST_DIAL, pause: FIRST_PAUSE }
    }
}

impl Patience {
    /// How long this try lasts at most; the next one lasts longer.
    pub(crate) fn dial(&mut self) -> Duration {
        let limit = self.dial;
        self.dial = (limit * 2).min(LONGEST_DIAL);
        limit
    }

    /// How long to wait before the next try.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }

    /// The one try of somebody who does not try again.
    pub(crate) fn of_one_try() -> Self {
        Self { dial: LONGEST_DIAL, pause: FIRST_PAUSE }
    }
}

/// Where the sentinel at this address says that the primary is.
pub(crate) async fn primary_of(host: &str, port: u16, name: &str, limit: Duration) -> Option<(String, u16)> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit / 2))
        .set_response_timeout(Some(limit / 2));
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
