use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, Random, ServiceKind, Supervisor, quiet_port};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::carry::carry;
use super::line::Line;
use super::switch::{Order, Switch};

/// Nobody else has taken the port that the proxy itself has just left.
const REBIND_LIMIT: Duration = Duration::from_secs(10);
const STEP: Duration = Duration::from_millis(5);

/// A TCP proxy on a free port of 127.0.0.1 whose line can be cut, held, lost, slowed and narrowed. Ends with its
/// owner, and all its connections with it.
///
/// Connections are numbered from 0 in the order in which they came. To trouble one process and no other, give it a
/// proxy of its own.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    switch: Arc<Switch>,
    target: watch::Sender<SocketAddr>,
    wants_clients: watch::Sender<bool>,
    is_listening: watch::Receiver<bool>,
    services: Supervisor,
}

impl FaultProxy {
    /// A proxy in front of `target`, which need not be there yet.
    pub async fn start(target: SocketAddr, clock: Clock) -> Result<Self> {
        let (address, listener) = listen().await.map_err(no_port)?;
        let (wants_clients, wanted) = watch::channel(true);
        let (listening, is_listening) = watch::channel(true);
        let (target, leads_to) = watch::channel(target);
        let switch = Arc::new(Switch::default());
        let services = Supervisor::new();
        let relay = Relay { target: leads_to, switch: Arc::clone(&switch), services: services.clone() };
        let gate = Gate { address, wanted, listening, clock, relay };
        let stopping = services.stopping();
        services.spawn(ServiceKind::Connection, async move {
            tokio::select! {
                ended = gate.serve(listener) => ended,
                () = stopping.cancelled() => Ok(()),
            }
        });
        Ok(Self { address, switch, target, wants_clients, is_listening, services })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the line of all connections, those that come later too.
    pub fn set(&self, line: Line) {
        self.switch.set(line);
    }

    /// Sets the line of one connection. A number that is not open does nothing.
    pub fn set_one(&self, connection: u64, line: Line) {
        self.switch.set_one(connection, line);
    }

    /// Resets all connections. New ones are accepted.
    pub fn cut(&self) {
        self.switch.cut();
    }

    /// Resets one connection. A number that is not open does nothing.
    pub fn cut_one(&self, connection: u64) {
        self.switch.cut_one(connection);
    }

    /// Leads new connections to another server; what is open stays where it is.
    pub fn lead_to(&self, target: SocketAddr) {
        self.target.send_replace(target);
    }

    /// The open connections, oldest first.
    pub fn connections(&self) -> Vec<u64> {
        self.switch.connections()
    }

    /// Stops listening: who connects is refused. What is open stays open. Returns when it is so.
    pub async fn refuse(&self) {
        self.listening(false).await;
    }

    /// Carries everything again, at once, and accepts connections. Returns when it is so.
    pub async fn resume(&self) {
        self.set(Line::default());
        self.listening(true).await;
    }

    async fn listening(&self, wanted: bool) {
        self.wants_clients.send_replace(wanted);
        // The gate can only be gone if its runtime is, and then nobody waits either.
        let _ = self.is_listening.clone().wait_for(|listening| *listening == wanted).await;
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.services.stop();
    }
}

/// Accepts connections while they are wanted.
struct Gate {
    address: SocketAddr,
    wanted: watch::Receiver<bool>,
    listening: watch::Sender<bool>,
    clock: Clock,
    relay: Relay,
}

impl Gate {
    async fn serve(mut self, listener: TcpListener) -> Result<()> {
        let mut listener = Some(listener);
        loop {
            let wanted = *self.wanted.borrow_and_update();
            if !wanted {
                listener = None;
            } else if listener.is_none() {
                listener = Some(self.rebind().await?);
            }
            self.listening.send_replace(wanted);
            tokio::select! {
                accepted = accept(listener.as_ref()) => match accepted {
                    Ok(client) => self.relay.start(client),
                    Err(error) => {
                        tracing::debug!(%error, "no connection");
                        self.clock.sleep(STEP).await;
                    }
                },
                changed = self.wanted.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    async fn rebind(&self) -> Result<TcpListener> {
        let end = self.clock.boot().plus(REBIND_LIMIT);
        loop {
            match TcpListener::bind(self.address).await {
                Ok(listener) => return Ok(listener),
                Err(error) if self.clock.boot() > end => return Err(no_port(error)),
                Err(_) => self.clock.sleep(STEP).await,
            }
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

/// Connects clients to the target.
struct Relay {
    target: watch::Receiver<SocketAddr>,
    switch: Arc<Switch>,
    services: Supervisor,
}

impl Relay {
    fn start(&self, client: TcpStream) {
        let (number, orders) = self.switch.open();
        let (target, switch) = (*self.target.borrow(), Arc::clone(&self.switch));
        let stopping = self.services.stopping();
        self.services.spawn(ServiceKind::Connection, async move {
            tokio::select! {
                ended = relay(client, target, orders) => if let Err(error) = ended {
                    tracing::debug!(%error, number, "connection ended");
                },
                () = stopping.cancelled() => {}
            }
            switch.closed(number);
            Ok(())
        });
    }
}

async fn relay(client: TcpStream, target: SocketAddr, orders: watch::Receiver<Order>) -> std::io::Result<()> {
    match TcpStream::connect(target).await {
        Ok(server) => carry(client, server, orders).await,
        Err(error) => {
            client.set_zero_linger()?;
            Err(error)
        }
    }
}

async fn listen() -> std::io::Result<(SocketAddr, TcpListener)> {
    let random = Random::from_system();
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, quiet_port(&random))).await {
            Ok(listener) => return Ok((listener.local_addr()?, listener)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => return Err(error),
        }
    }
}

fn no_port(error: std::io::Error) -> Error {
    Error::new(Code::DrillFailed, "the fault proxy has no port on 127.0.0.1").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_runtime::FineInstant;
    use cardoon_testkit::eventually;
    use std::io::ErrorKind;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LIMIT: Duration = Duration::from_secs(20);

    /// Sends back what it gets.
    struct Echo {
        address: SocketAddr,
        services: Supervisor,
    }

    impl Echo {
        async fn start() -> Self {
            let (address, listener) = listen().await.unwrap();
            let services = Supervisor::new();
            let clients = services.clone();
            services.spawn(ServiceKind::Connection, async move {
                loop {
                    let (mut client, _) = listener.accept().await.unwrap();
                    clients.spawn(ServiceKind::Connection, async move {
                        let (mut from, mut to) = client.split();
                        tokio::io::copy(&mut from, &mut to).await.ok();
                        Ok(())
                    });
                }
            });
            Self { address, services }
        }

        async fn behind_a_proxy() -> (Self, FaultProxy) {
            let echo = Self::start().await;
            let proxy = FaultProxy::start(echo.address, Clock::real()).await.unwrap();
            (echo, proxy)
        }
    }

    impl Drop for Echo {
        fn drop(&mut self) {
            self.services.stop();
        }
    }

    async fn connect(proxy: &FaultProxy) -> TcpStream {
        TcpStream::connect(proxy.address()).await.unwrap()
    }

    async fn round_trip(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        stream.write_all(bytes).await?;
        let mut back = vec![0; bytes.len()];
        stream.read_exact(&mut back).await?;
        Ok(back)
    }

    /// Whether nothing comes for a while.
    async fn is_silent(stream: &mut TcpStream) -> bool {
        let mut byte = [0];
        tokio::time::timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err()
    }

    #[tokio::test]
    async fn bytes_and_ends_go_through_both_ways() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let mut stream = connect(&proxy).await;
        let large: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
        let (mut from, mut to) = stream.split();
        let mut back = Vec::new();
        let send = async {
            to.write_all(&large).await?;
            to.shutdown().await
        };
        tokio::try_join!(send, from.read_to_end(&mut back)).unwrap();
        assert!(back == large);
        eventually("the connection is gone", LIMIT, async || proxy.connections().is_empty()).await;
    }

    #[tokio::test]
    async fn a_cut_resets_the_connection_it_was_for_and_no_other() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
        round_trip(&mut first, b"a").await.unwrap();
        round_trip(&mut second, b"a").await.unwrap();
        assert_eq!(proxy.connections(), [0, 1]);
        proxy.cut_one(0);
        let error = first.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert_eq!(round_trip(&mut second, b"b").await.unwrap(), b"b");
        proxy.cut();
        assert!(second.read(&mut [0]).await.is_err());
        assert_eq!(round_trip(&mut connect(&proxy).await, b"c").await.unwrap(), b"c");
    }

    #[tokio::test]
    async fn what_is_held_comes_later_and_what_is_lost_never_comes() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let (mut held, mut lost) = (connect(&proxy).await, connect(&proxy).await);
        round_trip(&mut held, b"a").await.unwrap();
        round_trip(&mut lost, b"a").await.unwrap();
        proxy.set_one(0, Line::HELD);
        proxy.set_one(1, Line::LOST);
        held.write_all(b"held").await.unwrap();
        lost.write_all(b"lost").await.unwrap();
        assert!(is_silent(&mut held).await && is_silent(&mut lost).await);
        proxy.resume().await;
        let mut back = [0; 4];
        held.read_exact(&mut back).await.unwrap();
        assert_eq!(&back, b"held");
        assert!(is_silent(&mut lost).await);
        drop(lost);
        assert!(proxy.connections().contains(&1), "the other side of a lost connection is never told");
        proxy.cut();
        eventually("the cut ends it", LIMIT, async || proxy.connections().is_empty()).await;
    }

    #[tokio::test]
    async fn connections_that_come_while_the_line_is_lost_hear_nothing() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        proxy.set(Line::LOST);
        let mut stream = connect(&proxy).await;
        stream.write_all(b"x").await.unwrap();
        assert!(is_silent(&mut stream).await);
    }

    #[tokio::test]
    async fn a_refusing_proxy_keeps_what_is_open_and_listens_again_on_its_port() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let mut open = connect(&proxy).await;
        round_trip(&mut open, b"a").await.unwrap();
        proxy.refuse().await;
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(round_trip(&mut open, b"b").await.unwrap(), b"b");
        proxy.resume().await;
        assert_eq!(round_trip(&mut connect(&proxy).await, b"c").await.unwrap(), b"c");
    }

    #[tokio::test]
    async fn a_long_line_delays_each_round_trip_and_not_each_byte() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let mut stream = connect(&proxy).await;
        proxy.set(Line::round_trip(Duration::from_millis(400)));
        let begin = FineInstant::now();
        for _ in 0..100 {
            stream.write_all(b"pipelined ").await.unwrap();
        }
        let mut back = vec![0; 1000];
        stream.read_exact(&mut back).await.unwrap();
        let took = FineInstant::now().since(begin);
        assert!(took >= Duration::from_millis(400), "{took:?}");
        assert!(took < LIMIT, "each write waited for the one before: {took:?}");
    }

    #[tokio::test]
    async fn a_narrow_line_takes_its_time() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let mut stream = connect(&proxy).await;
        proxy.set(Line::narrow(100_000));
        let begin = FineInstant::now();
        round_trip(&mut stream, &vec![7; 20_000]).await.unwrap();
        assert!(FineInstant::now().since(begin) >= Duration::from_millis(200));
    }

    #[tokio::test]
    async fn new_connections_follow_the_server_to_its_new_place() {
        let (_echo, proxy) = Echo::behind_a_proxy().await;
        let mut before = connect(&proxy).await;
        round_trip(&mut before, b"a").await.unwrap();
        let (nowhere, listener) = listen().await.unwrap();
        drop(listener);
        proxy.lead_to(nowhere);
        assert!(round_trip(&mut connect(&proxy).await, b"b").await.is_err());
        assert_eq!(round_trip(&mut before, b"c").await.unwrap(), b"c");
    }

    #[tokio::test]
    async fn a_target_that_is_not_there_resets_its_clients() {
        let (address, listener) = listen().await.unwrap();
        drop(listener);
        let proxy = FaultProxy::start(address, Clock::real()).await.unwrap();
        let mut stream = connect(&proxy).await;
        assert!(round_trip(&mut stream, b"x").await.is_err());
        drop(proxy);
    }
}
