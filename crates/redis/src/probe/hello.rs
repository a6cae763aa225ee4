//! The first words: what answers at the other end.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// How long an answer is waited for.
pub(super) const ANSWER: Duration = Duration::from_millis(1500);

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

/// The first byte of what a TLS server says: a handshake, or that it does not like the client's.
const TLS_HANDSHAKE: u8 = 0x16;
const TLS_ALERT: u8 = 0x15;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    Redis,
    /// It refuses whoever comes from another machine; its own words.
    Protected(String),
    Tls,
    /// It hung up without a word.
    HungUp,
    /// It said nothing in time.
    Silence,
    /// The first line of an answer that is none of Redis's.
    Other(String),
}

/// Says `PING` in plain text.
pub(super) async fn plain(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Heard {
    exchange(stream, PING).await
}

/// Begins a TLS handshake, and does not go on with it.
pub(super) async fn tls(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Heard {
    match client_hello() {
        Some(hello) => exchange(stream, &hello).await,
        None => Heard::Silence,
    }
}

async fn exchange(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), words: &[u8]) -> Heard {
    let mut answer = [0; 256];
    let talk = async {
        // A server that refuses everybody answers without listening, and hangs up.
        let _ = stream.write_all(words).await;
        stream.read(&mut answer).await
    };
    match timeout(ANSWER, talk).await {
        Err(_) => Heard::Silence,
        Ok(Err(_) | Ok(0)) => Heard::HungUp,
        Ok(Ok(read)) => understood(&answer[..read]),
    }
}

fn understood(answer: &[u8]) -> Heard {
    let line = String::from_utf8_lossy(answer).lines().next().unwrap_or_default().to_owned();
    match answer {
        [TLS_HANDSHAKE | TLS_ALERT, 3, ..] => Heard::Tls,
        [b'-', ..] if line.starts_with("-DENIED") => {
            Heard::Protected(line.trim_start_matches('-').to_owned())
        }
        [b'+', ..] => Heard::Redis,
        [b'-', rest @ ..] if rest.first().is_some_and(u8::is_ascii_uppercase) => Heard::Redis,
        _ => Heard::Other(line.escape_default().take(60).collect()),
    }
}

/// The first message of a client. Nobody's certificate would be trusted; none is asked for yet.
fn client_hello() -> Option<Vec<u8>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let name = ServerName::try_from("localhost").ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).ok()?;
    Some(hello)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_who_gives_it() {
        assert_eq!(understood(b"+PONG\r\n"), Heard::Redis);
        assert_eq!(understood(b"-NOAUTH Authentication required.\r\n"), Heard::Redis);
        assert_eq!(understood(b"-DENIED Redis is\r\n"), Heard::Protected("DENIED Redis is".into()));
        assert_eq!(understood(&[0x15, 3, 3, 0, 2]), Heard::Tls);
        assert_eq!(understood(b"HTTP/1.1 400 Bad\r\nX: y"), Heard::Other("HTTP/1.1 400 Bad".into()));
        assert_eq!(client_hello().unwrap()[0], TLS_HANDSHAKE);
    }
}
