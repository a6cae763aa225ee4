use crate::support::Home;

#[test]
fn an_empty_store_has_an_empty_list() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    home.json(&["queue", "purge", "celery", "--yes"]);
    assert_eq!(home.json(&["queue", "list"]).as_array().map(Vec::len), Some(0));
    let ended = home.run(&["queue", "list", "-o", "jsonl"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""));
}

#[test]
fn peek_shows_and_does_not_take() {
    let home = Home::new();
    let id = home.send(&["mail.send", "--args", "[\"a@b\"]", "--kwargs", "{\"n\": 1}", "-Q", "mail"]);
    for _ in 0..2 {
        let shown = home.json(&["queue", "peek", "mail"]);
        assert_eq!(shown[0]["id"], id.as_str());
        assert_eq!(shown[0]["args"], serde_json::json!(["a@b"]));
        assert_eq!(shown[0]["kwargs"], serde_json::json!({ "n": 1 }));
    }
    assert_eq!(home.json(&["queue", "list"])[0]["ready"], 1);
}

#[test]
fn purge_says_how_many_and_asks_for_a_yes() {
    let home = Home::new();
    home.send(&["a", "-Q", "mail"]);
    home.send(&["b", "-Q", "mail", "--in", "1h"]);
    let asked = home.run(&["queue", "purge", "mail"]);
    assert_eq!(asked.status, 2);
    assert!(
        asked.stderr.starts_with("error[CD4006]: this would delete 2 waiting message(s)"),
        "{}",
        asked.stderr
    );
    assert_eq!(home.json(&["queue", "purge", "mail", "--yes"])["purged"], 2);
    assert_eq!(home.json(&["queue", "peek", "mail"]).as_array().map(Vec::len), Some(0));
}

#[test]
fn nothing_is_asked_about_an_empty_queue_and_a_hint_can_be_typed_as_it_stands() {
    let home = Home::new();
    home.send(&["a", "-Q", "low priority"]);
    let asked = home.run(&["queue", "purge", "low priority"]);
    assert!(asked.stderr.contains("hint: cardoon queue purge 'low priority' --yes\n"), "{}", asked.stderr);
    assert_eq!(home.json(&["queue", "purge", "low priority", "--yes"])["purged"], 1);
    assert_eq!(home.json(&["queue", "purge", "low priority"])["purged"], 0);
}

#[test]
fn a_queue_that_nobody_knows_is_pointed_out() {
    let home = Home::new();
    home.send(&["cardoon.noop", "-Q", "mail"]);
    for line in [&["queue", "peek", "mial"][..], &["queue", "purge", "mial", "--yes"]] {
        let ended = home.run(line);
        assert_eq!(ended.status, 0);
        assert!(ended.stderr.contains("nothing is known of a queue mial; known: mail"), "{}", ended.stderr);
    }
}

#[test]
fn a_new_database_is_pointed_out_once() {
    let home = Home::new();
    assert!(home.run(&["send", "cardoon.noop"]).stderr.contains("new database  sqlite:/"));
    assert_eq!(home.run(&["send", "cardoon.noop"]).stderr, "");
}

#[test]
fn a_relative_database_in_the_settings_is_the_same_one_from_every_folder_below() {
    let home = Home::new();
    let folder = home.folder.path();
    std::fs::write(folder.join("cardoon.toml"), "broker = \"sqlite:tasks.db\"").unwrap();
    std::fs::create_dir(folder.join("src")).unwrap();
    home.send(&["cardoon.noop"]);
    let mut command = home.command(&["queue", "list", "-o", "json"]);
    command.current_dir(folder.join("src"));
    let ended = crate::support::finish(command);
    assert!(ended.stdout.contains("\"ready\":1"), "{}{}", ended.stdout, ended.stderr);
    assert!(!folder.join("src/tasks.db").exists());
}
