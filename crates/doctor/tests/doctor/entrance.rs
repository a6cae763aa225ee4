//! Does the version fit, and does the server let us in?

use cardoon_errors::{Code, Severity};
use cardoon_testkit::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{findings, lasting, of, server, the_error};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_named() {
    let server = RedisServer::start_with(lasting().password("right")).await.unwrap();
    for (login, hint) in [(":s3cret@", "ACL LIST"), ("", "write the password into the URL")] {
        let found = findings(&format!("redis://{login}127.0.0.1:{}/0", server.port())).await;
        let (check, code, text) = the_error(&found);
        assert_eq!((check, code), ("login", Code::RedisDenied), "{login}");
        assert!(text.contains(hint), "{text}");
        assert_eq!(
            of(&found, "running").severity(),
            Severity::Fine,
            "it is not taken for one that does not run"
        );
        assert_eq!(of(&found, "version").severity(), Severity::Unchecked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_for_a_server_that_has_none_is_named() {
    let server = server().await;
    let found = findings(&server.url().replace("://", "://:s3cret@")).await;
    let (check, code, _) = the_error(&found);
    assert_eq!((check, code), ("login", Code::RedisDenied));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_the_server_does_not_have_is_named() {
    let server = server().await;
    let found = findings(&server.url().replace("/0", "/99")).await;
    let (check, code, text) = the_error(&found);
    assert_eq!((check, code), ("database", Code::RedisNoDatabase));
    assert!(text.contains("databases"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_server_is_named_by_its_version() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}/0", listener.local_addr().unwrap());
    let found = tokio::select! {
        found = findings(&url) => found,
        () = serve_as_old(&listener) => panic!("the old server ended"),
    };
    let (check, code, text) = the_error(&found);
    assert_eq!((check, code), ("version", Code::RedisTooOld));
    assert!(text.contains("5.0"), "{text}");
}

/// Answers as Redis 5 does, which knows no `HELLO`, one connection after the other.
async fn serve_as_old(listener: &TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // One that hangs up is followed by the next one.
        let _ = answer_as_old(BufReader::new(stream)).await;
    }
}

async fn answer_as_old(mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
    const ABOUT: &str = "redis_version:5.0.14\r\nrole:master\r\n";
    let (mut line, mut words) = (String::new(), 0);
    while stream.read_line(&mut line).await? > 0 {
        let word = line.trim_end().to_ascii_uppercase();
        line.clear();
        match word.as_bytes().first() {
            Some(b'*') => words = 0,
            Some(b'$') => words += 1,
            _ if words == 1 => stream.write_all(old_answer(&word, ABOUT).as_bytes()).await?,
            _ => {}
        }
    }
    Ok(())
}

fn old_answer(command: &str, about: &str) -> String {
    match command {
        "PING" => "+PONG\r\n".into(),
        "INFO" => format!("${}\r\n{about}\r\n", about.len()),
        _ => format!("-ERR unknown command `{command}`, with args beginning with: \r\n"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_ask_about_the_server_is_told_what_was_not_checked() {
    let rules = "on >s3cret ~* &* +@all -info -client|list -time";
    let server = RedisServer::start_with(lasting().password("right").user("ann", rules)).await.unwrap();
    let found = findings(&server.url_of("ann", "s3cret")).await;
    for check in ["version", "settings", "clock", "celery"] {
        assert_eq!(of(&found, check).severity(), Severity::Unchecked, "{found:#?}");
    }
    assert_eq!(of(&found, "login").sentence(), "logged in as ann");
    assert_eq!(of(&found, "writes").severity(), Severity::Fine);
}
