use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use tokio::net::{TcpListener, TcpStream};

use super::connection;
use super::inbox::{Inbox, MailCount};

/// An SMTP server on a free loopback port that accepts every mail, keeps none, and counts them. Ends with its owner.
///
/// It speaks enough ESMTP for any client without TLS and answers garbage with an error reply. Limits: 10 MiB a
/// mail, 1000 recipients, 60 s of silence.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    inbox: Arc<Inbox>,
    services: Supervisor,
    clock: Clock,
}

impl SmtpSink {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(clock: Clock) -> Result<Self> {
        let listening = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            Ok((listener.local_addr()?, listener))
        };
        let (address, listener) = listening.await.map_err(no_port)?;
        let sink = Self { address, inbox: Arc::new(Inbox::new()), services: Supervisor::new(), clock };
        sink.services.spawn(ServiceKind::Connection, accept(listener, sink.acceptor()));
        Ok(sink)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn count(&self) -> MailCount {
        *self.inbox.watch().borrow()
    }

    /// How many mails each recipient got.
    pub fn by_recipient(&self) -> HashMap<String, u64> {
        self.inbox.by_recipient()
    }

    /// Waits until `enough` says so of the count, at most `limit`. Returns the last count.
    pub async fn wait_for(&self, limit: Duration, enough: impl FnMut(&MailCount) -> bool) -> MailCount {
        let mut count = self.inbox.watch();
        tokio::select! {
            _ = count.wait_for(enough) => {}
            () = self.clock.sleep(limit) => {}
        }
        self.count()
    }

    fn acceptor(&self) -> Acceptor {
        Acceptor {
            inbox: Arc::clone(&self.inbox),
            services: self.services.clone(),
            clock: self.clock.clone(),
        }
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.services.stop();
    }
}

/// What each connection shares with the sink.
#[derive(Clone)]
struct Acceptor {
    inbox: Arc<Inbox>,
    services: Supervisor,
    clock: Clock,
}

async fn accept(listener: TcpListener, acceptor: Acceptor) -> Result<()> {
    let stopping = acceptor.services.stopping();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return Ok(()),
        };
        match accepted {
            Ok((stream, _)) => acceptor.serve(stream),
            // A client that was gone before it was accepted, or no file handles for a moment.
            Err(error) => {
                tracing::debug!(%error, "no connection");
                acceptor.clock.sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

impl Acceptor {
    fn serve(&self, stream: TcpStream) {
        let shared = self.clone();
        let stopping = self.services.stopping();
        self.services.spawn(ServiceKind::Connection, async move {
            tokio::select! {
                served = connection::serve(stream, &shared.inbox, &shared.clock) => {
                    if let Err(error) = served {
                        tracing::debug!(%error, "client hung up");
                    }
                }
                () = stopping.cancelled() => {}
            }
            Ok(())
        });
    }
}

fn no_port(error: std::io::Error) -> Error {
    Error::new(Code::DrillFailed, "the SMTP sink found no free port on 127.0.0.1").source(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_runtime::Random;
    use lettre::message::Mailbox;
    use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LIMIT: Duration = Duration::from_secs(20);

    fn mail(id: &str, to: &str) -> Message {
        let sender: Mailbox = "Sender <sender@example.com>".parse().unwrap();
        Message::builder()
            .message_id(Some(id.into()))
            .from(sender)
            .to(to.parse().unwrap())
            .subject("hello")
            .body(".a line that starts with a dot\r\n.\r\nand the last one".to_owned())
            .unwrap()
    }

    fn client(sink: &SmtpSink) -> AsyncSmtpTransport<Tokio1Executor> {
        let address = sink.address();
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.ip().to_string())
            .port(address.port())
            .build()
    }

    async fn raw(sink: &SmtpSink, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(sink.address()).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn mails_of_a_real_client_are_counted_with_their_duplicates() {
        let sink = SmtpSink::start(Clock::real()).await.unwrap();
        let client = client(&sink);
        for (id, to) in [("<1@x>", "ann@x.org"), ("<2@x>", "bob@x.org"), ("<1@x>", "ann@x.org")] {
            client.send(mail(id, to)).await.unwrap();
        }
        let count = sink.wait_for(LIMIT, |count| count.total == 3).await;
        assert_eq!((count.total, count.distinct, count.duplicates()), (3, 2, 1));
        assert_eq!(sink.by_recipient()["bob@x.org"], 1);
    }

    #[tokio::test]
    async fn a_pipelining_client_gets_every_answer_in_order() {
        let sink = SmtpSink::start(Clock::real()).await.unwrap();
        let text = b"EHLO x\r\nNOOP\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhi\r\n.\r\nQUIT\r\n";
        let answer = raw(&sink, text).await;
        let codes: Vec<_> =
            answer.lines().filter(|line| line.as_bytes()[3] == b' ').map(|l| &l[..3]).collect();
        assert_eq!(codes, ["220", "250", "250", "250", "250", "354", "250", "221"]);
        assert_eq!(sink.count().total, 1);
    }

    #[tokio::test]
    async fn garbage_does_no_harm_and_counts_for_nothing() {
        let sink = SmtpSink::start(Clock::real()).await.unwrap();
        let random = Random::from_seed(7);
        for _ in 0..50 {
            let bytes: Vec<u8> = (0..random.below(5000)).map(|_| random.below(256) as u8).collect();
            let mut stream = TcpStream::connect(sink.address()).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            drop(stream);
        }
        let answer = raw(&sink, b"\xff\xfe\r\nNONSENSE\r\n\r\nRCPT TO:<x@x>\r\nMAIL FROM:\r\n").await;
        assert!(answer.lines().skip(1).all(|line| line.starts_with('5')), "{answer}");
        client(&sink).send(mail("<1@x>", "ann@x.org")).await.unwrap();
        assert_eq!(sink.count(), MailCount { total: 1, distinct: 1 });
    }

    #[tokio::test]
    async fn a_mail_that_was_cut_off_is_no_mail() {
        let sink = SmtpSink::start(Clock::real()).await.unwrap();
        raw(&sink, b"HELO x\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\nhalf a ma").await;
        assert_eq!(sink.count().total, 0);
    }
}
