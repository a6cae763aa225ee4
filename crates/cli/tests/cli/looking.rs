use crate::support::Home;

#[test]
fn a_command_that_only_looks_makes_no_database_and_says_what_does() {
    let home = Home::new();
    for line in [
        &["task", "list"][..],
        &["task", "get", "a"],
        &["task", "wait", "a"],
        &["task", "why", "a"],
        &["task", "retry", "a"],
        &["task", "revoke", "a"],
        &["queue", "list"],
        &["queue", "peek", "mail"],
        &["queue", "purge", "mail", "--yes"],
        &["dead", "list"],
        &["dead", "show", "a"],
        &["dead", "redrive", "--yes"],
        &["dead", "purge", "--yes"],
    ] {
        let ended = home.run(line);
        assert_eq!((ended.status, ended.stdout.as_str()), (4, ""), "{line:?}");
        assert!(ended.stderr.starts_with("error[CD1112]: there is no database /"), "{}", ended.stderr);
        assert!(ended.stderr.contains("/.cardoon/cardoon.db yet\n"), "{}", ended.stderr);
        assert!(ended.stderr.contains("cardoon worker --builtin"), "{}", ended.stderr);
    }
    assert_eq!(std::fs::read_dir(home.folder.path()).unwrap().count(), 0);
}

#[test]
fn results_that_are_kept_elsewhere_are_not_made_by_looking_either() {
    let home = Home::new();
    home.send(&["cardoon.noop"]);
    let ended = home.run(&["task", "list", "--results", "sqlite:results.db"]);
    assert_eq!(ended.status, 4);
    assert!(ended.stderr.contains("/results.db yet\n"), "{}", ended.stderr);
    assert!(!home.folder.path().join("results.db").exists());
}

#[test]
fn events_may_be_followed_before_anything_is_there() {
    let home = Home::new();
    let ended = home.run(&["events", "--for", "10ms"]);
    assert_eq!(ended.status, 0, "{}", ended.stderr);
}

#[test]
fn a_folder_is_made_for_a_database_and_no_tree_of_folders() {
    let home = Home::new();
    home.send(&["cardoon.noop", "--broker", "sqlite:data/tasks.db"]);
    let ended = home.run(&["send", "cardoon.noop", "--broker", "sqlite:no/such/tasks.db"]);
    assert_eq!(ended.status, 3);
    assert!(ended.stderr.starts_with("error[CD1101]: cannot open the folder: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("hint: look at the file and its folder: ls -l "), "{}", ended.stderr);
    assert!(!home.folder.path().join("no").exists());
}

#[test]
fn a_store_in_memory_is_refused_where_what_it_holds_would_be_lost() {
    let home = Home::new();
    for line in [
        &["send", "cardoon.noop", "--broker", "memory:"][..],
        &["worker", "--builtin", "--broker", "sqlite://"],
        &["worker", "--builtin", "--results", "memory:"],
        &["demo", "mail", "--broker", "memory:"],
        &["task", "list", "--broker", "memory:"],
        &["migrate", "--from", "memory:", "--to", "sqlite:b.db"],
        &["migrate", "--from", "sqlite:a.db", "--to", "memory:"],
    ] {
        let ended = home.run(line);
        assert_eq!((ended.status, ended.stdout.as_str()), (2, ""), "{line:?}");
        assert!(ended.stderr.starts_with("error[CD1007]: a store in memory"), "{}", ended.stderr);
    }
}
