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
#[cfg(unix)]
fn a_worker_whose_slots_are_lost_is_replaced_and_the_waiting_tasks_run() {
    let home = Home::new();
    let mut command = home.command(&["worker", "--builtin", "-c", "1", "--time-limit", "2s"]);
    command.env("CARDOON_RETRY__MAX", "0");
    let worker = Running::start(command);
    worker.says("database");
    let blocking = home.send(&["cardoon.block", "--args", "[600]"]);
    let started = || home.json(&["task", "list", "--state", "started"]);
    eventually(started, |list| list[0]["id"] == blocking.as_str());
    let waiting: Vec<_> = (0..5).map(|n| home.send(&["cardoon.echo", "--args", &format!("[{n}]")])).collect();
    worker.says("this process is replaced");
    worker.says("database");
    for (n, id) in waiting.iter().enumerate() {
        let ended = home.run(&["task", "wait", id, "--timeout", "30s"]);
        assert_eq!((ended.status, ended.stdout.trim()), (0, n.to_string().as_str()), "{}", ended.stderr);
        let history = home.json(&["task", "get", id])["history"].clone();
        assert_eq!((history.as_array().unwrap().len(), &history[0]["attempt"]), (1, &0.into()), "{history}");
    }
    let record = home.json(&["task", "get", &blocking])["record"].clone();
    assert_eq!(record["failure"]["kind"], "TimeLimitExceeded", "{record}");
    worker.signal("TERM");
    assert_eq!(worker.status(), 0);
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
