use crate::support::Home;

#[test]
fn a_code_is_explained_in_both_languages() {
    let home = Home::new();
    let english = home.run(&["explain", "CD1107"]);
    assert_eq!(english.status, 0);
    assert!(english.stdout.starts_with("# CD1107: the disk is full\n"));
    let chinese = home.run(&["explain", "1107", "--lang", "zh"]);
    assert!(chinese.stdout.starts_with("# CD1107：磁盘已满\n"));
}

#[test]
fn all_codes_are_listed() {
    let all = Home::new().json(&["explain"]);
    assert!(all.as_array().unwrap().iter().any(|it| it["code"] == "CD3005"));
}

#[test]
fn a_code_that_does_not_exist_is_not_found() {
    let ended = Home::new().run(&["explain", "CD0000"]);
    assert_eq!(ended.status, 4);
    assert!(ended.stderr.starts_with("error[CD4005]"), "{}", ended.stderr);
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let ended = Home::new().run(&["completions", shell]);
        assert_eq!(ended.status, 0);
        assert!(ended.stdout.contains("redrive"), "{shell}");
    }
}
