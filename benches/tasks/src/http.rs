//! A small client for HTTP: requests that are ready before they are sent, over connections that stay open, from one thread.
//! What it costs is taken from the gateway beside it, so it reads of an answer no more than whether it is a success, and its
//! length.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::stopwatch::{monotonic_nanos, sleep_until};

/// Requests that begin in the first second are answered and not counted: the gateway warms up.
const WARM_UP: Duration = Duration::from_secs(1);
const COUNTED: Duration = Duration::from_secs(5);

/// A connection that stays open.
pub(crate) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

/// How a load was answered.
pub(crate) struct Load {
    pub(crate) per_sec: f64,
    /// From the time at which a request was to be sent until its answer was there, in nanoseconds.
    waits: Histogram<u64>,
}

/// Readers of events, until they are dropped.
pub(crate) struct Readers {
    _tasks: JoinSet<Result<()>>,
    bytes: Arc<AtomicU64>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect to the gateway")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, answer: Vec::new() })
    }

    /// Sends a request and waits for the body of its answer, which must be one of success.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.answer.clear();
        loop {
            self.read().await?;
            if let Some(body) = body(&self.answer)? {
                return Ok(&self.answer[body]);
            }
        }
    }

    async fn read(&mut self) -> Result<usize> {
        let read = self.stream.read_buf(&mut self.answer).await?;
        ensure!(read > 0, "the gateway hung up");
        Ok(read)
    }
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, json: &str) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{json}", json.len()).into_bytes()
}

/// Where the body of an answer is, as soon as the answer is whole.
fn body(answer: &[u8]) -> Result<Option<Range<usize>>> {
    let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&answer[..end]);
    ensure!(head.starts_with("HTTP/1.1 2"), "the gateway answered {}", String::from_utf8_lossy(answer));
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value.trim())
    });
    let length: usize = length.context("an answer without a length")?.parse()?;
    let whole = end + 4..end + 4 + length;
    Ok((answer.len() >= whole.end).then_some(whole))
}

impl Load {
    /// Each of `connections` sends the request again as soon as it is answered.
    pub(crate) fn closed(address: SocketAddr, connections: usize, request: &[u8]) -> Result<Self> {
        Client::new(request, None)?.run(address, connections)
    }

    /// So many requests a second by a schedule that does not wait for answers, as long as one of `connections` is free. A
    /// request that is sent late counts from the time at which it was due.
    pub(crate) fn open(
        address: SocketAddr,
        connections: usize,
        request: &[u8],
        per_sec: f64,
    ) -> Result<Self> {
        Client::new(request, Some(per_sec))?.run(address, connections)
    }

    pub(crate) fn ms(&self, quantile: f64) -> f64 {
        self.waits.value_at_quantile(quantile) as f64 / 1e6
    }
}

/// What all connections of a load share.
struct Client<'a> {
    request: &'a [u8],
    per_sec: Option<f64>,
    begin: u64,
    /// Requests that were given to a connection.
    given: Cell<u64>,
    waits: RefCell<Histogram<u64>>,
}

impl<'a> Client<'a> {
    fn new(request: &'a [u8], per_sec: Option<f64>) -> Result<Self> {
        let waits = RefCell::new(Histogram::new(3)?);
        Ok(Self { request, per_sec, begin: monotonic_nanos(), given: Cell::new(0), waits })
    }

    fn run(self, address: SocketAddr, connections: usize) -> Result<Load> {
        let asking = try_join_all((0..connections).map(|_| self.keep_asking(address)));
        // On a runtime of its own, whose one thread nobody else has to wake.
        tokio::task::block_in_place(|| {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(asking)
        })?;
        let waits = self.waits.into_inner();
        let per_sec = waits.len() as f64 / COUNTED.as_secs_f64();
        Ok(Load { per_sec, waits })
    }

    async fn keep_asking(&self, address: SocketAddr) -> Result<()> {
        let mut connection = Connection::open(address).await?;
        loop {
            let due = self.due();
            let since = Duration::from_nanos(due.saturating_sub(self.begin));
            if since >= WARM_UP + COUNTED {
                return Ok(());
            }
            sleep_until(due).await;
            connection.ask(self.request).await?;
            if since >= WARM_UP {
                self.waits.borrow_mut().record(monotonic_nanos() - due)?;
            }
        }
    }

    /// When the next request is to be sent.
    fn due(&self) -> u64 {
        let given = self.given.replace(self.given.get() + 1);
        let after = |per_sec: f64| self.begin + (given as f64 * 1e9 / per_sec) as u64;
        self.per_sec.map_or_else(monotonic_nanos, after)
    }
}

impl Readers {
    /// So many, all of which hear events when this returns.
    pub(crate) async fn join(address: SocketAddr, count: usize) -> Result<Self> {
        let bytes = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for _ in 0..count {
            let mut connection = Connection::open(address).await?;
            connection.stream.write_all(&get("/api/v1/events")).await?;
            while !String::from_utf8_lossy(&connection.answer).contains(": listening") {
                connection.read().await?;
            }
            tasks.spawn(read(connection, Arc::clone(&bytes)));
        }
        Ok(Self { _tasks: tasks, bytes })
    }

    /// How much all of them were given.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

async fn read(mut connection: Connection, bytes: Arc<AtomicU64>) -> Result<()> {
    loop {
        connection.answer.clear();
        let read = connection.read().await?;
        bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_body_is() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nbody";
        assert_eq!(body(&answer[..20]).unwrap(), None);
        assert_eq!(body(&answer[..answer.len() - 1]).unwrap(), None);
        assert_eq!(&answer[body(answer).unwrap().unwrap()], b"body");
    }

    #[test]
    fn what_is_no_success_is_told() {
        let refused = body(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nwhy?").unwrap_err();
        assert!(refused.to_string().contains("why?"), "{refused}");
    }

    #[test]
    fn an_open_loop_has_a_schedule_and_a_closed_one_has_none() {
        let open = Client::new(b"", Some(1000.0)).unwrap();
        assert_eq!(
            [open.due(), open.due(), open.due()].map(|due| due - open.begin),
            [0, 1_000_000, 2_000_000]
        );
        let closed = Client::new(b"", None).unwrap();
        let begin = monotonic_nanos();
        assert!(closed.due() >= begin);
    }
}
