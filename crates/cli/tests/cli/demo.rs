use crate::support::Home;

#[test]
fn all_mails_of_the_demo_arrive() {
    let line = ["demo", "mail", "--mails", "40", "--workers", "2", "--slots", "2", "--seconds", "0.01"];
    let report = Home::new().json(&line);
    assert_eq!((&report["different"], &report["lost"]), (&40.into(), &0.into()), "{report}");
}

#[test]
fn the_demo_refuses_a_time_that_is_none() {
    let ended = Home::new().run(&["demo", "mail", "--seconds", "-1"]);
    assert_eq!(ended.status, 2);
}

#[test]
fn the_demo_does_not_kill_its_only_worker() {
    let ended = Home::new().run(&["demo", "mail", "--workers", "1", "--kill-worker"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.contains("hint: cardoon demo mail --workers 2 --kill-worker\n"), "{}", ended.stderr);
}
