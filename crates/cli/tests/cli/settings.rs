use insta::assert_snapshot;

use crate::support::{Home, finish};

#[test]
fn all_settings_are_shown_with_their_origin() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("cardoon.toml"), "[worker]\nqueues = [\"mail\", \"low\"]\n")
        .unwrap();
    let mut command = home.command(&["settings", "show", "--origin", "--broker", "redis://me:hunter2@db/0"]);
    command.env("CARDOON_WORKER__GRACE", "40s");
    let ended = finish(command);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(!ended.stdout.contains("hunter2"));
    let folder = std::fs::canonicalize(home.folder.path()).unwrap().display().to_string();
    assert_snapshot!(ended.stdout.replace(&folder, "FOLDER"));
}

#[test]
fn as_json_each_setting_is_an_object() {
    let settings = Home::new().json(&["settings", "show"]);
    let grace = settings.as_array().unwrap().iter().find(|it| it["setting"] == "worker.grace").unwrap();
    assert_eq!(grace["value"], "25s");
    assert_eq!(grace["origin"], "default");
}

#[test]
fn a_misspelt_setting_stops_every_command_that_needs_settings_and_no_other() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("cardoon.toml"), "[worker]\nconcurency = 2\n").unwrap();
    let ended = home.run(&["queue", "list"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("did you mean `worker.concurrency`?"), "{}", ended.stderr);
    assert_eq!(home.run(&["explain", "CD4001"]).status, 0);
}

#[test]
fn a_value_without_a_unit_is_refused_with_the_accepted_forms() {
    let ended = Home::new().run(&["worker", "--builtin", "--grace", "30"]);
    assert_eq!(ended.status, 2);
    assert_snapshot!(ended.stderr);
}

#[test]
fn the_database_that_none_stands_for_is_named_and_no_meaning_is_cut() {
    let home = Home::new();
    let shown = home.run(&["settings", "show"]);
    assert!(shown.stderr.starts_with("database  sqlite:/"), "{}", shown.stderr);
    assert!(shown.stderr.ends_with("/.cardoon/cardoon.db (not made yet)\n"), "{}", shown.stderr);
    assert!(!shown.stdout.contains('…'), "{}", shown.stdout);
    home.send(&["cardoon.noop"]);
    assert!(home.run(&["settings", "show"]).stderr.ends_with("/.cardoon/cardoon.db\n"));
}
