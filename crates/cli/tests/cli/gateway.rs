use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Ended, Home, Running, finish};

/// Runs a line of a shell.
fn shell(line: &str) -> Ended {
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(command)
}

/// The address that a gateway says it listens on.
fn address(gateway: &Running) -> String {
    let line = gateway.says("gateway   http://");
    line.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn the_line_that_the_greeting_shows_sends_a_task_as_it_is_typed() {
    let home = Home::new();
    let dev = Running::start(home.command(&["dev"]));
    let sent = shell(dev.says("  curl ").trim());
    assert_eq!(sent.status, 0, "{sent:?}");
    let answer: Value = serde_json::from_str(&sent.stdout).unwrap();
    let outcome = home.json(&["task", "wait", answer["id"].as_str().unwrap()]);
    assert_eq!(outcome["result"], 5);
    dev.signal("TERM");
    assert_eq!(dev.status(), 0);
}

#[test]
fn two_gateways_for_development_take_two_ports() {
    let (one, other) = (Home::new(), Home::new());
    let one = Running::start(one.command(&["dev"]));
    one.says("  curl ");
    let other = Running::start(other.command(&["dev"]));
    let line = other.says("  curl ");
    assert_eq!(shell(line.trim()).status, 0, "{line}");
}

#[test]
fn a_token_lets_in_what_it_allows_and_is_shown_once() {
    let home = Home::new();
    let made = home.json(&["gateway", "token", "create", "billing", "--scope", "send"]);
    let token = made["token"].as_str().unwrap();
    let listed = home.run(&["gateway", "token", "list"]);
    assert!(listed.stdout.contains("billing") && !listed.stdout.contains(token), "{listed:?}");
    let kept = std::fs::read_to_string(home.folder.path().join(".cardoon/tokens.json")).unwrap();
    assert!(!kept.contains(token), "{kept}");

    let gateway = Running::start(home.command(&["gateway", "--listen", "127.0.0.1:0"]));
    let url = address(&gateway);
    let send = |token: &str| {
        let line = format!(
            "curl -s -o /dev/null -w '%{{http_code}}' {url}/api/v1/tasks -H 'Authorization: Bearer {token}' \
             -H 'Content-Type: application/json' -d '{{\"task\": \"cardoon.noop\"}}'"
        );
        shell(&line).stdout
    };
    assert_eq!((send(token).as_str(), send("cdn_0").as_str()), ("201", "401"));
    let listing = format!(
        "curl -s -o /dev/null -w '%{{http_code}}' {url}/api/v1/tasks -H 'Authorization: Bearer {token}'"
    );
    assert_eq!(shell(&listing).stdout, "403");
    assert_eq!(home.run(&["gateway", "token", "revoke", "billing"]).status, 0);
    assert_eq!(home.run(&["gateway", "token", "revoke", "billing"]).status, 2);
    gateway.signal("TERM");
    assert_eq!(gateway.status(), 0);
}

#[test]
fn an_open_address_without_a_token_is_refused() {
    let ended = Home::new().run(&["gateway", "--listen", "0.0.0.0:0"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("CD7007"), "{ended:?}");
}

#[test]
fn a_file_of_tokens_that_is_named_is_made_by_its_first_token_and_not_done_without() {
    let home = Home::new();
    let path = home.folder.path().join("named.json");
    let gateway = || home.command(&["gateway", "--listen", "127.0.0.1:0"]);
    let with_file = |mut command: Command| {
        command.env("CARDOON_GATEWAY__TOKENS", &path);
        command
    };
    let ended = finish(with_file(gateway()));
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("CD7009") && ended.stderr.contains("token create"), "{ended:?}");
    let create = home.command(&["gateway", "token", "create", "a", "--scope", "read"]);
    assert_eq!(finish(with_file(create)).status, 0);
    let gateway = Running::start(with_file(gateway()));
    gateway.says("tokens    requests need one");
    gateway.signal("TERM");
    assert_eq!(gateway.status(), 0);
}

#[test]
fn an_address_that_cannot_be_read_is_a_setting_that_cannot() {
    let ended = Home::new().run(&["gateway", "--listen", "everywhere"]);
    assert_eq!(ended.status, 2, "{ended:?}");
    assert!(ended.stderr.contains("CD4002") && ended.stderr.contains("127.0.0.1:8765"), "{ended:?}");
}
