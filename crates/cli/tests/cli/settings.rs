use insta::assert_snapshot;

use crate::support::{Home, finish};

#[test]
fn all_settings_are_shown_with_their_origin() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("cardoon.toml"), "[worker]\nqueues = [\"mail\", \"low\"]\n")
        .unwrap();
    std::fs::write(home.folder.path().join("url"), "redis://:hunter2@results/1\n").unwrap();
    let mut command =
        home.command(&["settings", "show", "--origin", "-v", "--broker", "redis://me:hunter2@db/0"]);
    command.env("CARDOON_WORKER__GRACE", "40s").env("CARDOON_RESULTS_FILE", "url");
    let ended = finish(command);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    assert!(!ended.stdout.contains("hunter2"));
    let folder = std::fs::canonicalize(home.folder.path()).unwrap().display().to_string();
    assert_snapshot!(ended.stdout.replace(&folder, "FOLDER"));
}

#[test]
#[cfg(unix)]
fn a_secret_that_everybody_may_read_is_warned_about_and_one_that_nobody_may_stops_the_command() {
    use std::os::unix::fs::PermissionsExt as _;

    let home = Home::new();
    let url = home.folder.path().join("url");
    let listed = || {
        let mut command = home.command(&["settings", "show"]);
        command.env("CARDOON_BROKER_FILE", "url");
        finish(command)
    };
    let gone = listed();
    assert_eq!(gone.status, 2);
    assert!(gone.stderr.starts_with("error[CD4008]: cannot read the secret in url\n"), "{}", gone.stderr);
    std::fs::write(&url, "redis://:hunter2@db/0\n").unwrap();
    for (mode, is_told) in [(0o644, true), (0o600, false)] {
        std::fs::set_permissions(&url, std::fs::Permissions::from_mode(mode)).unwrap();
        let shown = listed();
        assert_eq!(shown.status, 0, "{}", shown.stderr);
        assert!(shown.stdout.contains("redis://:***@db/0") && !shown.stdout.contains("hunter2"));
        assert_eq!(
            shown.stderr.contains("everybody on this machine may read this"),
            is_told,
            "{}",
            shown.stderr
        );
    }
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
