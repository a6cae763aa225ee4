use cardoon_testkit::{AppendOnly, RedisOptions, RedisServer};
use insta::assert_snapshot;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::{Home, eventually};

fn server(options: RedisOptions) -> (tokio::runtime::Runtime, RedisServer) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start_with(options)).unwrap();
    (runtime, server)
}

/// The findings that are not fine: check, severity and code.
fn not_fine(findings: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let told = |finding: &Value| {
        (text(&finding["check"]), text(&finding["severity"]), text(&finding["error"]["code"]))
    };
    findings.as_array().unwrap().iter().map(told).filter(|(_, severity, _)| severity != "fine").collect()
}

fn told(check: &str, severity: &str, code: &str) -> (String, String, String) {
    (check.into(), severity.into(), code.into())
}

fn examine(home: &Home, line: &[&str]) -> (i32, Value) {
    let ended = home.run(&[&["doctor", "-o", "json"], line].concat());
    (ended.status, serde_json::from_str(&ended.stdout).unwrap())
}

#[test]
fn each_finding_has_its_mark_and_a_bad_one_says_what_to_do_in_both_languages() {
    let (_runtime, server) = server(RedisOptions::default().password("right"));
    let url = format!("redis://:s3cret@127.0.0.1:{}/0", server.port());
    for language in ["en", "zh"] {
        let ended = Home::new().run(&["doctor", "--broker", &url, "--lang", language]);
        assert_eq!(ended.status, 3, "{}", ended.stderr);
        assert!(!ended.stdout.contains("s3cret"));
        insta::with_settings!({filters => vec![(r"127\.0\.0\.1:\d+", "[server]")], snapshot_suffix => language}, {
            assert_snapshot!(ended.stdout);
        });
    }
}

#[test]
fn with_warnings_alone_it_ends_well() {
    let (_runtime, server) = server(RedisOptions::default());
    let home = Home::new();
    let (status, findings) = examine(&home, &["--broker", &server.url()]);
    assert_eq!(not_fine(&findings), [told("persistence", "warning", "CD1212")]);
    assert_eq!(status, 0);
    let ended = home.run(&["doctor", "--broker", &server.url()]);
    assert!(ended.stdout.ends_with("it works; see the warnings\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr, "", "the log repeats in the middle of the list what the list says");
}

#[test]
fn a_service_that_is_no_redis_server_is_told_of_in_words_by_other_commands_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("redis://{}/0", listener.local_addr().unwrap());
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    for line in [&["health"][..], &["queue", "list"]] {
        let ended = Home::new().run(&[line, &["--broker", &url]].concat());
        assert_eq!(ended.status, 3, "{}", ended.stderr);
        assert!(ended.stderr.contains(&format!("error[CD1010]: what answers at {url} is no Redis server")));
        assert!(!ended.stderr.contains("Parse") && !ended.stderr.contains("cause"), "{}", ended.stderr);
        let ended = Home::new().run(&[line, &["--broker", &url, "--lang", "zh"]].concat());
        assert_eq!(english_words(&ended.stderr), Vec::<&str>::new(), "{}", ended.stderr);
    }
}

#[test]
fn of_healthy_stores_nothing_bad_is_said_in_any_form() {
    let (_runtime, server) = server(RedisOptions::default().append_only(AppendOnly::EverySecond));
    let home = Home::new();
    let folder = home.folder.path().join("tasks.db");
    let file = format!("sqlite:{}", folder.display());
    home.send(&["cardoon.noop", "--broker", &file]);
    let _worker = home.worker(&["--broker", &file]);
    eventually(|| examine(&home, &["--broker", &file]), |(_, found)| not_fine(found).is_empty());
    let (status, findings) = examine(&home, &["--broker", &server.url(), "--results", &file]);
    assert_eq!((status, not_fine(&findings)), (0, Vec::new()));
    let ended = home.run(&["doctor", "--broker", &server.url(), "--results", &file, "-o", "jsonl"]);
    let checks = |findings: Vec<Value>| findings.iter().map(|it| it["check"].clone()).collect::<Vec<_>>();
    let lines = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(checks(lines), checks(findings.as_array().unwrap().clone()));
    let ended = home.run(&["doctor", "--broker", &server.url()]);
    assert_eq!((ended.status, ended.stdout.ends_with("all is well\n")), (0, true), "{}", ended.stdout);
}

#[test]
fn broken_settings_are_a_finding() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("cardoon.toml"), "[worker]\nconcurency = 2").unwrap();
    let (status, findings) = examine(&home, &[]);
    assert_eq!(status, 2);
    let wanted = [told("settings", "error", "CD4001"), told("broker", "unchecked", "")];
    assert_eq!(not_fine(&findings), wanted);
    let (status, findings) = examine(&Home::new(), &["--broker", "sqllite:tasks.db"]);
    assert_eq!((status, &not_fine(&findings)[0]), (2, &told("url", "error", "CD1002")));
    let (status, findings) = examine(&Home::new(), &["--broker", "memory:"]);
    assert_eq!((status, &not_fine(&findings)[0]), (2, &told("settings", "error", "CD1007")));
}

#[test]
fn a_project_that_has_not_begun_is_looked_at_and_left_as_it_is() {
    let home = Home::new();
    let (status, findings) = examine(&home, &[]);
    let wanted = [told("file", "warning", "CD1112"), told("queues", "unchecked", "")];
    assert_eq!((status, not_fine(&findings)), (0, wanted.to_vec()));
    assert_eq!(std::fs::read_dir(home.folder.path()).unwrap().count(), 0);
}

#[test]
fn tasks_without_a_worker_and_those_of_a_dead_one_are_named() {
    let home = Home::new();
    home.send(&["cardoon.sleep", "--args", "[60]"]);
    let (status, findings) = examine(&home, &[]);
    assert_eq!((status, not_fine(&findings)), (3, vec![told("queues", "error", "CD3016")]));

    let worker = home.worker(&["-n", "one", "-c", "1"]);
    eventually(
        || home.json(&["task", "list", "--state", "STARTED"]),
        |tasks| tasks.to_string().contains("sleep"),
    );
    assert_eq!(not_fine(&examine(&home, &[]).1), []);
    worker.signal("KILL");
    worker.status();
    let (status, findings) = examine(&home, &[]);
    assert_eq!((status, not_fine(&findings)), (3, vec![told("leases", "error", "CD3017")]));
}

#[test]
fn what_is_wrong_is_told_in_chinese_throughout() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    std::fs::write(home.folder.path().join("notes.db"), "no database, but long enough\n".repeat(100))
        .unwrap();
    let (_runtime, server) = server(RedisOptions::default());
    for line in [
        &["doctor"][..],
        &["doctor", "--broker", &server.url()],
        &["doctor", "--broker", "sqlite:none.db"],
        &["doctor", "--broker", "sqlite:notes.db"],
        &["doctor", "--broker", "sqlite:absent/below/such.db"],
    ] {
        let ended = home.run(&[line, &["--lang", "zh"]].concat());
        assert_eq!(english_words(&ended.stdout), Vec::<&str>::new(), "{line:?}: {}", ended.stdout);
    }
}

/// Words of English that are no name, option or command.
fn english_words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphabetic() || c == '-'));
    words
        .filter(|word| ["the", "is", "not", "cannot", "of", "to", "was", "has", "and", "it"].contains(word))
        .collect()
}
