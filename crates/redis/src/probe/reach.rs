//! Is it running, and do address and port agree?

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use cardoon_errors::{Code, Error, Finding, Report};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::hello::{self, Heard};
use super::neighbours;
use super::surroundings::Surroundings;
use crate::address::{Place, RedisAddress};
use crate::failure;
use crate::link::{open, primary_of};

/// How long the name service may take, and a connection.
const NAME: Duration = Duration::from_secs(2);
const DIAL: Duration = Duration::from_secs(2);
/// How long one sentinel may take.
const SENTINEL: Duration = Duration::from_millis(800);

/// A host where a server is looked for.
struct Host<'a> {
    location: &'a str,
    name: &'a str,
    port: u16,
    tls: bool,
    surroundings: &'a Surroundings,
}

/// Finds the server and hears whether it speaks what the URL says. Answers where the primary is, if sentinels had to be
/// asked.
pub(super) async fn reach(
    address: &RedisAddress,
    surroundings: &Surroundings,
    report: Report<'_>,
) -> Result<Option<(String, u16)>, Finding> {
    let location = address.location();
    let host = |name, port, tls| Host { location: &location, name, port, tls, surroundings };
    match &address.place {
        Place::Host { host: name, port, tls } => {
            host(name, *port, tls.is_some()).reach(report).await?;
            Ok(None)
        }
        Place::Socket(path) => {
            reach_socket(path, &location, report).await?;
            Ok(None)
        }
        Place::Sentinel { sentinels, name } => {
            let primary = ask_sentinels(address, sentinels, name, report).await?;
            host(&primary.0, primary.1, false).reach(report).await?;
            Ok(Some(primary))
        }
    }
}

async fn ask_sentinels(
    address: &RedisAddress,
    sentinels: &[(String, u16)],
    name: &str,
    report: Report<'_>,
) -> Result<(String, u16), Finding> {
    for (host, port) in sentinels {
        let answer = timeout(SENTINEL, primary_of(host, *port, name, SENTINEL)).await;
        if let Some(primary) = answer.ok().flatten() {
            report(Finding::fine(
                "sentinel",
                format!("sentinel {host}:{port} names {}:{}", primary.0, primary.1),
            ));
            return Ok(primary);
        }
    }
    let asked = sentinels.iter().map(|(host, port)| format!("asked: {host}:{port}"));
    Err(Finding::error("sentinel", asked.fold(open::no_primary(address), Error::checked)))
}

impl Host<'_> {
    async fn reach(&self, report: Report<'_>) -> Result<(), Finding> {
        let addresses = self.resolve().await.map_err(|error| Finding::error("name", error))?;
        if self.name.parse::<IpAddr>().is_err() {
            report(Finding::fine("name", format!("the name {} leads to {}", self.name, ips(&addresses))));
        }
        let (address, stream) = self.dial(&addresses).await?;
        report(Finding::fine("running", format!("{address} takes connections")));
        let sentence = self.listen(address, stream).await?;
        report(Finding::fine(if self.tls { "tls" } else { "address" }, sentence));
        Ok(())
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, Error> {
        let answer = timeout(NAME, lookup_host((self.name, self.port))).await;
        let unknown = || failure::unknown_name(self.location).checked(format!("name: {}", self.name));
        match answer {
            Err(_) => Err(unknown().checked(format!("no answer to the name within {} s", NAME.as_secs()))),
            Ok(Err(error)) => Err(unknown().source(error)),
            Ok(Ok(found)) => {
                let addresses: Vec<_> = found.collect();
                if addresses.is_empty() { Err(unknown()) } else { Ok(addresses) }
            }
        }
    }

    /// A connection to the first address that takes one.
    async fn dial(&self, addresses: &[SocketAddr]) -> Result<(SocketAddr, TcpStream), Finding> {
        let mut obstacles = Vec::new();
        let share = DIAL / addresses.len().clamp(1, 8) as u32;
        for address in addresses.iter().take(8) {
            match timeout(share, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok((*address, stream)),
                Ok(Err(error)) => obstacles.push((*address, error)),
                Err(_) => obstacles.push((*address, io::ErrorKind::TimedOut.into())),
            }
        }
        Err(self.not_running(&obstacles).await)
    }

    async fn not_running(&self, obstacles: &[(SocketAddr, io::Error)]) -> Finding {
        let seen = |error| {
            let told = obstacles.iter().map(|(address, error)| format!("{address}: {error}"));
            told.fold(error, Error::checked)
        };
        let refused = obstacles.iter().find(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused);
        let Some((address, _)) = refused else {
            let silent = Error::new(Code::Unreachable, format!("{} cannot be reached", self.location))
                .hint("look at the host, and at the firewall or the network in between");
            return Finding::error("running", seen(silent));
        };
        if let Some(port) = neighbours::other_port(*address, self.surroundings).await {
            return Finding::error("address", seen(self.nothing_listens(port)));
        }
        if let Some(mark) = self.surroundings.container.as_ref().filter(|_| address.ip().is_loopback()) {
            return Finding::error("running", seen(self.own_container(mark)));
        }
        let message = format!("nothing listens on {}:{}", self.name, self.port);
        let error = Error::new(Code::Unreachable, message)
            .hint("start the server: redis-server; in a container: docker run -p 6379:6379 redis");
        Finding::error("running", seen(error))
    }

    fn own_container(&self, mark: &str) -> Error {
        let message = format!("{} is this container itself, and nothing listens in it", self.name);
        Error::new(Code::OwnContainer, message)
            .checked(format!("a container: {mark}"))
            .hint("name the server's container or service, such as redis://redis:6379/0; or start it here: redis-server")
    }

    fn nothing_listens(&self, right: u16) -> Error {
        let (name, port) = (self.name, self.port);
        self.at_other_port(
            format!("nothing listens on port {port} of {name}, and a Redis server on port {right}"),
            right,
        )
    }

    fn another_answers(&self, right: u16) -> Error {
        let (name, port) = (self.name, self.port);
        self.at_other_port(
            format!("something else answers on port {port} of {name}, and a Redis server on port {right}"),
            right,
        )
    }

    fn at_other_port(&self, message: String, right: u16) -> Error {
        Error::new(Code::WrongPort, message)
            .hint(format!("if it is yours, write its port into the URL: redis://{}:{right}/0", self.name))
    }

    /// What the server is heard to speak, in a sentence.
    async fn listen(&self, address: SocketAddr, mut stream: TcpStream) -> Result<String, Finding> {
        if self.tls {
            return match hello::tls(&mut stream).await {
                Heard::Tls => Ok(format!("{address} speaks TLS")),
                other => Err(self.without_tls(address, other).await),
            };
        }
        match hello::plain(&mut stream).await {
            Heard::Redis => Ok(format!("a Redis server answers at {address}")),
            Heard::Protected(words) => Err(self.protected(&words)),
            other => Err(self.not_redis(address, other).await),
        }
    }

    fn protected(&self, words: &str) -> Finding {
        Finding::error("login", failure::of_text(words, self.location))
    }

    /// The URL says TLS, and the server does not speak it.
    async fn without_tls(&self, address: SocketAddr, heard: Heard) -> Finding {
        let plain = match dial_again(address).await {
            Some(mut stream) => hello::plain(&mut stream).await,
            None => Heard::HungUp,
        };
        match plain {
            Heard::Redis | Heard::Protected(_) => {
                let message = format!("{address} is a Redis server without TLS, and the URL asks for TLS");
                let error = Error::new(Code::RedisTls, message)
                    .checked("TLS handshake: no answer of TLS")
                    .checked("PING without TLS: answered")
                    .hint("write redis:// in place of rediss://, or give the server a tls-port");
                Finding::error("tls", error)
            }
            _ => self.other_service(address, heard).await,
        }
    }

    /// The URL says nothing of TLS, and what came back is not Redis's.
    async fn not_redis(&self, address: SocketAddr, heard: Heard) -> Finding {
        if matches!(heard, Heard::Silence | Heard::Other(_)) {
            return self.other_service(address, heard).await;
        }
        let secret = match dial_again(address).await {
            Some(mut stream) => hello::tls(&mut stream).await,
            None => Heard::HungUp,
        };
        if secret == Heard::Tls {
            let message = format!("{address} speaks TLS, and the URL does not ask for it");
            let error = Error::new(Code::RedisTls, message)
                .checked("PING without TLS: no answer of Redis")
                .checked("TLS handshake: answered")
                .hint("write rediss:// in place of redis://");
            return Finding::error("tls", error);
        }
        self.other_service(address, heard).await
    }

    async fn other_service(&self, address: SocketAddr, heard: Heard) -> Finding {
        let error = match heard {
            Heard::Silence => {
                let waited = hello::ANSWER.as_millis();
                let error = failure::no_answer(self.location).checked(format!("{address} takes connections"));
                let error = error.checked(format!("PING: nothing within {waited} ms"));
                return Finding::error(
                    "address",
                    error.hint("it is stopped, busy or no Redis server: redis-cli -u <URL> ping"),
                );
            }
            Heard::Other(words) => Self::no_redis(address).checked(format!("it answers: {words}")),
            _ => Self::no_redis(address).checked("it hangs up without a word"),
        };
        match neighbours::other_port(address, self.surroundings).await {
            Some(port) => {
                let other = self.another_answers(port);
                Finding::error("address", error.findings().iter().fold(other, Error::checked))
            }
            None => Finding::error("address", error),
        }
    }

    fn no_redis(address: SocketAddr) -> Error {
        Error::new(Code::OtherService, format!("what answers at {address} is no Redis server"))
            .hint(format!("look who listens there: ss -ltnp 'sport = {}'", address.port()))
    }
}

async fn dial_again(address: SocketAddr) -> Option<TcpStream> {
    timeout(DIAL, TcpStream::connect(address)).await.ok()?.ok()
}

fn ips(addresses: &[SocketAddr]) -> String {
    let ips: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
    ips.join(", ")
}

#[cfg(unix)]
async fn reach_socket(path: &Path, location: &str, report: Report<'_>) -> Result<(), Finding> {
    let failed = |error: io::Error| {
        let coded = Error::new(Code::Unreachable, format!("nothing listens on {}", path.display()));
        let coded = coded.hint(format!("look at the socket: ls -l {}", path.display())).source(error);
        Finding::error("running", coded)
    };
    let opened = timeout(DIAL, tokio::net::UnixStream::connect(path)).await;
    let mut stream = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(failed)?;
    report(Finding::fine("running", format!("{} takes connections", path.display())));
    match hello::plain(&mut stream).await {
        Heard::Redis => {
            report(Finding::fine("address", format!("a Redis server answers at {}", path.display())));
            Ok(())
        }
        Heard::Silence => Err(Finding::error("address", failure::no_answer(location))),
        _ => {
            let message = format!("what answers at {} is no Redis server", path.display());
            Err(Finding::error("address", Error::new(Code::OtherService, message)))
        }
    }
}

#[cfg(not(unix))]
async fn reach_socket(_: &Path, location: &str, _: Report<'_>) -> Result<(), Finding> {
    let message = format!("{location} cannot be reached");
    Err(Finding::error("running", Error::new(Code::Unsupported, message)))
}
