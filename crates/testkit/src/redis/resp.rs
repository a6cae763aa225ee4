//! As much of Redis's protocol as a test needs to look at a server from outside.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// The answer to a command that is sent to this port of 127.0.0.1 over a connection of its own.
pub(super) async fn ask(port: u16, password: Option<&str>, words: &[&str]) -> anyhow::Result<String> {
    let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?);
    if let Some(password) = password {
        stream.write_all(&request(&["AUTH", password])).await?;
        answer(&mut stream).await?;
    }
    stream.write_all(&request(words)).await?;
    answer(&mut stream).await
}

/// A command as it goes over the wire.
pub(super) fn request(words: &[&str]) -> Vec<u8> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        let _ = write!(request, "${}\r\n{word}\r\n", word.len());
    }
    request.into_bytes()
}

/// Reads one answer: text and numbers as they are, nothing as the empty text, a list as a line an item. What the
/// server refuses is an error.
pub(super) async fn answer(reader: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<String> {
    let mut items = Vec::new();
    // Lists may hold lists; all are told as one.
    let mut wanted: u64 = 1;
    while wanted > 0 {
        wanted -= 1;
        let line = line(reader).await?;
        let (kind, rest) = line.split_at_checked(1).context("the server sent an empty line")?;
        match kind {
            "+" | ":" => items.push(rest.to_owned()),
            "-" => bail!("{rest}"),
            "$" => items.push(bulk(reader, rest.parse()?).await?),
            "*" => wanted += rest.parse::<i64>()?.max(0).unsigned_abs(),
            _ => bail!("the server does not speak Redis's protocol: {line:?}"),
        }
    }
    Ok(items.join("\n"))
}

async fn line(reader: &mut (impl AsyncBufRead + Unpin)) -> anyhow::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line).await? == 0 {
        bail!("the server hung up");
    }
    Ok(line.trim_end().to_owned())
}

async fn bulk(reader: &mut (impl AsyncBufRead + Unpin), bytes: i64) -> anyhow::Result<String> {
    let Ok(bytes) = usize::try_from(bytes) else { return Ok(String::new()) };
    let mut text = vec![0; bytes + 2];
    reader.read_exact(&mut text).await?;
    text.truncate(bytes);
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_kind_of_answer_becomes_text() {
        let answers =
            b"+OK\r\n:7\r\n$-1\r\n$3\r\na\r\n\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n+y\r\n:2\r\n-ERR no\r\n";
        let mut reader = &answers[..];
        for wanted in ["OK", "7", "", "a\r\n", "1\nx\ny\n2"] {
            assert_eq!(answer(&mut reader).await.unwrap(), wanted);
        }
        assert_eq!(answer(&mut reader).await.unwrap_err().to_string(), "ERR no");
        assert_eq!(answer(&mut reader).await.unwrap_err().to_string(), "the server hung up");
    }

    #[test]
    fn a_request_counts_bytes() {
        assert_eq!(request(&["SET", "ä", ""]), "*3\r\n$3\r\nSET\r\n$2\r\nä\r\n$0\r\n\r\n".as_bytes());
    }
}
