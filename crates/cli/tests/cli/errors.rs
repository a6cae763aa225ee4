use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Home, finish};

#[test]
fn an_error_names_its_code_its_cause_and_the_next_command() {
    let home = Home::new();
    std::fs::write(home.folder.path().join("file"), "in the way").unwrap();
    let ended = home.run(&["queue", "list", "--broker", "sqlite:file/tasks.db"]);
    assert_eq!(ended.status, 3);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.starts_with("error[CD1101]: "), "{}", ended.stderr);
    assert!(ended.stderr.ends_with("  docs: cardoon explain CD1101\n"), "{}", ended.stderr);
}

#[test]
fn an_unknown_scheme_is_a_usage_error() {
    let ended = Home::new().run(&["queue", "list", "--broker", "sqllite:tasks.db"]);
    assert_eq!(ended.status, 2);
    assert!(ended.stderr.starts_with("error[CD1002]: "), "{}", ended.stderr);
}

#[test]
fn chinese_is_spoken_when_the_locale_or_the_option_asks_for_it() {
    let home = Home::new();
    let by_option = home.run(&["send", "cardoon.add", "--args", "{}", "--lang", "zh"]);
    assert_snapshot!(by_option.stderr);
    let mut command = home.command(&["send", "cardoon.add", "--args", "{}"]);
    command.env("LANG", "zh_CN.UTF-8");
    assert_eq!(finish(command).stderr, by_option.stderr);
}

#[test]
fn input_that_is_no_json_is_refused_with_an_example() {
    let ended = Home::new().run(&["send", "cardoon.add", "--args", "[2, 3"]);
    assert_eq!(ended.status, 2);
    assert_snapshot!(ended.stderr);
}

#[test]
fn with_json_output_an_error_is_one_object_on_standard_error() {
    let ended = Home::new().run(&["send", "cardoon.add", "--args", "7", "-o", "json"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (2, ""));
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&error).unwrap());
}

#[test]
fn a_command_line_that_makes_no_sense_is_a_usage_error_in_the_form_that_was_asked_for() {
    let home = Home::new();
    assert_eq!(home.run(&["tsk"]).status, 2);
    assert_eq!(home.run(&[]).status, 2);
    let ended = home.run(&["task", "wait", "x", "--timeout", "30", "-o", "json"]);
    assert_eq!(ended.status, 2);
    let error: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(error["error"]["code"], "CD4004");
    assert!(error["error"]["message"].as_str().unwrap().contains("30s"), "{error}");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let home = Home::new();
    for line in [&["queue", "peek", ""][..], &["send", "t", "--id", ""], &["send", "t", "-Q", "a\nb"]] {
        let ended = home.run(line);
        assert_eq!(ended.status, 2, "{line:?}");
        assert!(ended.stderr.contains("CD2005"), "{}", ended.stderr);
    }
    assert!(home.run(&["send", ""]).stderr.contains("CD4004"));
}

#[test]
fn an_error_repeats_no_more_of_a_long_input_than_a_screen_holds() {
    let home = Home::new();
    let long = "q".repeat(100_000);
    for line in
        [&["send", "t", "-Q", &long][..], &["task", "get", &long], &["queue", "list", "--broker", &long]]
    {
        let ended = home.run(line);
        assert_eq!(ended.status, 2);
        assert!(ended.stderr.len() < 4000, "{} bytes", ended.stderr.len());
    }
}

#[test]
fn a_refused_connection_is_told_once() {
    let ended = Home::new().run(&["queue", "list", "--broker", "redis://127.0.0.1:1"]);
    assert_eq!(ended.stderr.matches("Connection refused").count(), 1, "{}", ended.stderr);
}

#[test]
fn a_task_that_nobody_knows_is_not_said_to_have_run() {
    let home = Home::new();
    let _worker = home.worker(&[]);
    let ended = home.run(&["send", "mail.none", "--wait", "--timeout", "30s"]);
    assert!(ended.stderr.contains("knows a task named mail.none"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("worker: \n") && !ended.stderr.contains("attempts"), "{}", ended.stderr);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let home = Home::new();
    let mut command = home.command(&["explain"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = command.stdout(Stdio::from(writer)).spawn().unwrap();
    let mut stderr = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(stderr, "");
}

/// Everything but names, paths, options and commands.
fn english_words(text: &str) -> Vec<&str> {
    let lines = text.lines().filter(|line| !line.contains("文档：") && !line.contains("写成 cardoon"));
    lines
        .flat_map(|line| line.split(|c: char| !(c.is_ascii_alphabetic() || c == '-')))
        .filter(|word| ["the", "is", "not", "cannot", "of", "to", "was", "no", "has", "would"].contains(word))
        .collect()
}

#[test]
fn the_errors_that_a_beginner_meets_are_chinese_throughout() {
    let home = Home::new();
    let folder = home.folder.path();
    std::fs::write(folder.join("text.db"), "this is no database, but it is long enough to have a header")
        .unwrap();
    std::fs::write(folder.join("file"), "in the way").unwrap();
    let waiting = home.send(&["cardoon.noop"]);
    for line in [
        &["tsk"][..],
        &["task", "get"],
        &["send", "t", "--in", "5"],
        &["send", "t", "--in", "-5s"],
        &["send", "t", "--at", "tomorrow"],
        &["send", "t", "--args", "[1"],
        &["send", "t", "--kwargs", "[1]"],
        &["send", "t", "-Q", ""],
        &["send", ""],
        &["worker"],
        &["queue", "list", "-o", "xml"],
        &["queue", "list", "--broker", "tasks.db"],
        &["queue", "list", "--broker", "sqllite:tasks.db"],
        &["queue", "list", "--broker", "redis://127.0.0.1:1"],
        &["queue", "list", "--broker", "redis+socket:"],
        &["queue", "list", "--broker", "sqlite:file/tasks.db"],
        &["queue", "list", "--broker", "sqlite:none.db"],
        &["send", "t", "--broker", "memory:"],
        &["demo", "mail", "--workers", "1", "--kill-worker"],
        &["queue", "list", "--broker", "sqlite:text.db"],
        &["task", "get", "never-sent"],
        &["task", "why", "never-sent"],
        &["task", "wait", &waiting, "--timeout", "10ms"],
        &["task", "retry", &waiting],
        &["queue", "purge", "celery"],
        &["dead", "show", "never-sent"],
        &["dead", "list", "--reason", "boredom"],
        &["dead", "purge", "never-sent", "--yes"],
        &["explain", "CD0000"],
    ] {
        let ended = home.run(&[line, &["--lang", "zh", "-q"]].concat());
        assert_ne!(ended.status, 0, "{line:?}");
        assert!(ended.stderr.starts_with("错误[CD"), "{line:?}: {}", ended.stderr);
        assert_eq!(english_words(&ended.stderr), Vec::<&str>::new(), "{line:?}: {}", ended.stderr);
    }
}

#[test]
fn broken_settings_are_told_in_chinese() {
    for (text, expected) in [
        ("[worker]\nconcurency = 2", "没有名为 `worker.concurency` 的设置"),
        ("[worker]\nconcurrency = 0", "worker.concurrency 的值 `0` 无法识别"),
        ("[worker]\nlease = \"1s\"", "worker.heartbeat 是 3s"),
        ("[worker", "无法读取 "),
    ] {
        let home = Home::new();
        std::fs::write(home.folder.path().join("cardoon.toml"), text).unwrap();
        let mut command = home.command(&["queue", "list"]);
        command.env("LANG", "zh_CN.UTF-8");
        let ended = finish(command);
        assert_eq!(ended.status, 2);
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
}
