//! A client that can also misbehave: it writes what it is told to, and reads one answer at a time.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use cardoon_runtime::Clock;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// No answer of a test may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of an error.
    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// A connection.
pub(crate) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Writes as much as the other side takes; it may hang up meanwhile.
    pub(crate) async fn write_until_refused(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes).await;
    }

    /// The next answer; its body has a length.
    pub(crate) async fn reply(&mut self) -> Reply {
        let head = self.read_until("\r\n\r\n").await;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
        let length =
            head.to_ascii_lowercase().split("content-length: ").nth(1).map_or(0, |rest| {
                rest.split("\r\n").next().and_then(|length| length.parse().ok()).unwrap_or(0)
            });
        while self.read.len() < length {
            assert!(self.more().await, "the body broke off: {head}");
        }
        let body = self.read.drain(..length).collect();
        Reply { status, head, text: String::from_utf8(body).unwrap() }
    }

    /// All up to and with `mark`.
    pub(crate) async fn read_until(&mut self, mark: &str) -> String {
        loop {
            let place = self.read.windows(mark.len()).position(|window| window == mark.as_bytes());
            if let Some(place) = place {
                let text = self.read.drain(..place + mark.len()).collect();
                return String::from_utf8(text).unwrap();
            }
            assert!(self.more().await, "hung up before {mark:?}: {}", String::from_utf8_lossy(&self.read));
        }
    }

    /// Waits until the other side hangs up.
    pub(crate) async fn is_hung_up(&mut self) {
        while self.more().await {}
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 16 << 10];
        let clock = Clock::real();
        let read = tokio::select! {
            read = self.stream.read(&mut buffer) => read.unwrap_or(0),
            () = clock.sleep(PATIENCE) => panic!("no answer"),
        };
        self.read.extend_from_slice(&buffer[..read]);
        read > 0
    }
}

/// A request as text.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if headers.iter().all(|(name, _)| *name != "Host") {
        text.push_str("Host: localhost\r\n");
    }
    for (name, value) in headers {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    if let Some(body) = body {
        if headers.iter().all(|(name, _)| *name != "Content-Type") {
            text.push_str("Content-Type: application/json\r\n");
        }
        let _ = write!(text, "Content-Length: {}\r\n\r\n{body}", body.len());
    } else {
        text.push_str("\r\n");
    }
    text
}
