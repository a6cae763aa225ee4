//! Who may talk to a cluster.

use std::fmt::Write as _;
use std::process::Stdio;

use cardoon_cluster::{Client, Token};
use tokio::io::AsyncReadExt as _;

use crate::rig::{Home, signal, stderr, stdout, until};

const TOKEN: &str = "a-token-of-32-letters-0123456789";
const QUERY: &str = "select sum(n) as n from 'a.csv'";

#[tokio::test]
async fn without_a_token_nobody_listens_to_others() {
    let home = Home::new();
    for words in [
        &["scheduler", "--bind", "0.0.0.0:0"][..],
        &["cluster", "--bind", "0.0.0.0:0"],
        &["executor", "--scheduler", "127.0.0.1:1", "--bind", "0.0.0.0:0"],
    ] {
        let output = home.run(words).await;
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("--token"), "{}", stderr(&output));
    }
}

#[tokio::test]
async fn functions_are_carried_out_for_who_knows_a_token() {
    let home = Home::new();
    for words in [
        &["cluster", "--bind", "127.0.0.1:0", "--python", "python3"][..],
        &["executor", "--scheduler", "127.0.0.1:1", "--python", "python3"],
    ] {
        let output = home.run(words).await;
        assert_eq!(output.status.code(), Some(2), "{words:?}: {}", stderr(&output));
        assert!(stderr(&output).contains("--token"), "{}", stderr(&output));
    }
}

#[tokio::test]
async fn only_who_knows_the_token_is_answered_and_nobody_tells_it() {
    let home = Home::new();
    home.write("a.csv", "n\n1\n2\n");
    let mut scheduler =
        home.command(&["scheduler", "--bind", "0.0.0.0:0", "--token", TOKEN]).spawn().unwrap();
    let mut stdout_of = scheduler.stdout.take().unwrap();
    let mut told = String::new();
    while !told.ends_with('\n') {
        told.push(stdout_of.read_u8().await.unwrap().into());
    }
    let port = told.trim().rsplit_once(':').unwrap().1.to_owned();
    let address = format!("127.0.0.1:{port}");
    let executor = |words: &[&str], token: Option<&str>| {
        let words =
            [&["executor", "--scheduler", &address, "--with-parent", "--threads", "1"], words].concat();
        let mut command = home.command(&words);
        if let Some(token) = token {
            command.env("CARDOON_DATA_TOKEN", token);
        }
        command.stdin(Stdio::piped()).spawn().unwrap()
    };
    let executors = [executor(&["--token", TOKEN], None), executor(&[], Some(TOKEN))];
    let client = Client::connect(address.parse().unwrap(), Some(Token::new(TOKEN).unwrap())).await.unwrap();
    until("both executors are there", || async { client.state().await.unwrap().executors.len() == 2 }).await;

    let on = ["--cluster", address.as_str()];
    for words in [&[][..], &["--token", "another-token-0123456789"]] {
        let output = home.run(&[&["sql", QUERY], &on[..], words].concat()).await;
        assert!(stderr(&output).contains("error[CD8024]"), "{}", stderr(&output));
        let output = home.run(&[&["executor", "--scheduler", &address], words].concat()).await;
        assert!(stderr(&output).contains("error[CD8024]"), "{}", stderr(&output));
    }
    let output = home.run(&[&["sql", QUERY, "-o", "csv", "--token", TOKEN], &on[..]].concat()).await;
    assert_eq!(stdout(&output), "n\n3\n");
    assert!(!stderr(&output).contains(TOKEN));
    let mut command = home.command(&[&["sql", QUERY, "-o", "csv"], &on[..]].concat());
    assert_eq!(stdout(&command.env("CARDOON_DATA_TOKEN", TOKEN).output().await.unwrap()), "n\n3\n");

    for child in executors.into_iter().chain([scheduler]) {
        signal(child.id().unwrap(), "TERM");
        let output = child.wait_with_output().await.unwrap();
        write!(told, "{output:?}").unwrap();
    }
    assert!(!told.contains(TOKEN), "{told}");
}
