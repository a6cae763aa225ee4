//! Something else listens where the cluster should.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::rig::{Home, stderr};

const PAGE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>";

/// Listens, says `answer` to each who comes, and closes or keeps the connection.
async fn stranger(listener: TcpListener, answer: &[u8], keeps: bool) -> ! {
    let mut kept = Vec::new();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(answer).await;
        if keeps {
            kept.push(stream);
        }
    }
}

async fn is_told_from_a_cluster(answer: &[u8], keeps: bool) {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let commands = async {
        for words in [&["sql", "select 1", "--cluster", &address][..], &["executor", "--scheduler", &address]]
        {
            let output = timeout(Duration::from_secs(10), home.run(words)).await.expect("it waits too long");
            let said = stderr(&output);
            assert!(said.starts_with("error[CD8019]") && said.contains(&address), "{words:?}: {said}");
            assert_eq!(output.status.code(), Some(3), "{words:?}");
        }
    };
    tokio::select! {
        () = commands => {}
        _ = stranger(listener, answer, keeps) => {}
    }
}

#[tokio::test]
async fn a_page_is_no_cluster() {
    is_told_from_a_cluster(PAGE, true).await;
}

#[tokio::test]
async fn what_is_no_http_is_no_cluster() {
    is_told_from_a_cluster(b"-ERR unknown command\r\n", false).await;
}

#[tokio::test]
async fn who_closes_at_once_is_no_cluster() {
    is_told_from_a_cluster(b"", false).await;
}

#[tokio::test]
async fn who_never_answers_is_not_waited_for() {
    is_told_from_a_cluster(b"", true).await;
}

#[tokio::test]
async fn who_answers_without_an_end_is_not_waited_for() {
    is_told_from_a_cluster(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{", true).await;
}
