use crate::support::{Home, Running, eventually};

#[test]
fn without_builtins_it_says_where_tasks_live() {
    let ended = Home::new().run(&["worker", "-c", "4", "-Q", "mail", "-l", "INFO", "-n", "w@host", "-E"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.starts_with("error[CD3009]: "), "{}", ended.stderr);
    assert!(ended.stderr.contains("cardoon worker --builtin"), "{}", ended.stderr);
}

#[test]
fn it_says_where_its_database_is_and_drains_at_a_signal() {
    let home = Home::new();
    for (signal, status) in [("TERM", 0), ("INT", 130)] {
        let worker = home.worker(&[]);
        assert!(worker.says("database").contains("/.cardoon/cardoon.db"));
        worker.signal(signal);
        assert_eq!(worker.status(), status);
    }
}

#[test]
fn a_draining_worker_ends_what_runs_and_hands_back_at_the_second_signal() {
    let home = Home::new();
    let worker = home.worker(&["-c", "1"]);
    let id = home.send(&["cardoon.sleep", "--args", "[600]"]);
    let running = |state: &str| home.json(&["task", "list", "--state", state]);
    eventually(|| running("started"), |list| list[0]["id"] == id.as_str());
    worker.signal("TERM");
    worker.says("draining");
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
    let list = eventually(|| running("pending"), |list| list[0]["id"] == id.as_str());
    assert_eq!(list[0]["attempt"], 0, "being handed back is no attempt");
}

#[test]
fn dev_works_shows_events_and_says_what_to_type() {
    let home = Home::new();
    let dev = Running::start(home.command(&["dev"]));
    assert!(dev.says("database").contains("/.cardoon/cardoon.db"));
    dev.says("cardoon send cardoon.add");
    let ended = home.run(&["send", "cardoon.add", "--args", "[2, 3]", "--wait", "--timeout", "30s"]);
    assert_eq!(ended.stdout, "5\n", "{}", ended.stderr);
    dev.says("task-succeeded");
    dev.signal("INT");
    assert_eq!(dev.status(), 130);
}
