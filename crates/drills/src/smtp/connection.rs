use std::io;
use std::time::Duration;

use cardoon_runtime::Clock;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::inbox::Inbox;
use super::session::{ACCEPTED, GREETING, Line, MAX_MESSAGE_BYTES, Session, Step};

/// A client that says nothing for this long is hung up on.
const SILENCE: Duration = Duration::from_mins(1);

/// Serves one client until it quits, hangs up or falls silent.
pub(super) async fn serve(stream: TcpStream, inbox: &Inbox, clock: &Clock) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut session = Session::default();
    writer.write_all(GREETING.as_bytes()).await?;
    loop {
        let line = tokio::select! {
            line = read_line(&mut reader, MAX_MESSAGE_BYTES) => line?,
            () = clock.sleep(SILENCE) => return Ok(()),
        };
        let Some(line) = line else { return Ok(()) };
        match session.line(line) {
            Step::Continue => {}
            Step::Reply(reply) => writer.write_all(reply.as_bytes()).await?,
            Step::Close(reply) => return writer.write_all(reply.as_bytes()).await,
            Step::Accept { message, recipients } => {
                inbox.deliver(&message, recipients);
                writer.write_all(ACCEPTED.as_bytes()).await?;
            }
        }
    }
}

/// The next line without its end; `None` when the client has hung up. Keeps at most `limit` bytes in memory.
async fn read_line(reader: &mut (impl AsyncBufRead + Unpin), limit: usize) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    let mut too_long = false;
    loop {
        let available = reader.fill_buf().await?;
        if available.is_empty() {
            return Ok(None);
        }
        let end = available.iter().position(|byte| *byte == b'\n');
        let part = &available[..end.unwrap_or(available.len())];
        let taken = part.len() + usize::from(end.is_some());
        too_long |= line.len() + part.len() > limit;
        if !too_long {
            line.extend_from_slice(part);
        }
        reader.consume(taken);
        if end.is_some() {
            break;
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(if too_long { Line::TooLong } else { Line::Complete(line) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_line_over_the_limit_is_dropped_and_the_next_one_is_read() {
        let mut input = BufReader::with_capacity(4, &b"short\r\nmuch too long\r\nagain\nunfinished"[..]);
        let mut lines = Vec::new();
        while let Some(line) = read_line(&mut input, 8).await.unwrap() {
            lines.push(line);
        }
        let complete = |text: &str| Line::Complete(text.into());
        assert_eq!(lines, [complete("short"), Line::TooLong, complete("again")]);
    }
}
