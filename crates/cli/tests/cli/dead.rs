use crate::support::{Home, eventually};

/// A home with one dead letter, and its id.
fn with_a_dead_letter() -> (Home, String) {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let id = home.send(&["cardoon.add", "--args", "[\"two\", 3]"]);
    eventually(|| home.json(&["dead", "list"]), |dead| dead[0]["id"] == id.as_str());
    (home, id)
}

#[test]
fn a_dead_letter_is_shown_with_its_reason_and_bytes() {
    let (home, id) = with_a_dead_letter();
    let letter = home.json(&["dead", "show", &id]);
    assert_eq!(letter["reason"], "bad-arguments");
    assert!(letter["body"]["text"].as_str().unwrap().contains("\"two\""), "{letter}");
    assert_eq!(home.run(&["dead", "show", &id]).status, 0);
    assert_eq!(home.run(&["dead", "show", "never-sent"]).status, 4);
    assert_eq!(home.json(&["dead", "list", "--reason", "poison"]).as_array().map(Vec::len), Some(0));
    assert_eq!(home.run(&["dead", "list", "--reason", "boredom"]).status, 2);
}

#[test]
fn redrive_and_purge_ask_for_a_yes() {
    let (home, id) = with_a_dead_letter();
    for verb in ["redrive", "purge"] {
        let asked = home.run(&["dead", verb]);
        assert_eq!(asked.status, 2);
        assert!(asked.stderr.contains("1 dead letter(s)"), "{}", asked.stderr);
        assert!(asked.stderr.contains("checked: bad-arguments: 1\n"), "{}", asked.stderr);
    }
    assert_eq!(home.json(&["dead", "redrive", &id, "--yes"])["redriven"], 1);
    assert_eq!(home.json(&["dead", "purge", "--yes"])["purged"], 0);
    assert_eq!(home.json(&["queue", "list"])[0]["ready"], 1);
}

#[test]
fn ids_that_are_no_dead_letters_are_told() {
    let (home, id) = with_a_dead_letter();
    let none = home.run(&["dead", "redrive", "never-sent", "--yes"]);
    assert_eq!(none.status, 4);
    assert!(none.stderr.contains("no dead letter has the id never-sent"), "{}", none.stderr);
    let partly = home.run(&["dead", "purge", &id, "never-sent", "--yes"]);
    assert_eq!(partly.status, 5);
    assert_eq!(partly.stderr, "not among the dead letters: never-sent\n");
    assert_eq!(home.run(&["dead", "purge"]).status, 0, "nothing is asked about none");
}
