use crate::support::{Ended, Home, eventually, finish};

/// Runs `cardoon` as somebody with a Chinese locale does.
fn in_chinese(home: &Home, line: &[&str]) -> Ended {
    let mut command = home.command(line);
    command.env("LANG", "zh_CN.UTF-8");
    finish(command)
}

/// Words of two letters and more that are no names, values or options.
fn english_words(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:/<>=".contains(c);
    let words = text.split(|c: char| !is_part(c)).filter(|word| word.len() > 1);
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_alphabetic());
    let names = ["ID", "worker", "URL", "SIGKILL", "Ctrl-C", "JSON", "ms", "cardoon"];
    words.filter(is_word).filter(|word| !names.contains(word)).collect()
}

#[test]
fn the_heads_of_all_tables_are_chinese() {
    let home = Home::new();
    let id = home.send(&["cardoon.noop", "--in", "1h"]);
    for line in [
        &["task", "list"][..],
        &["queue", "list"],
        &["queue", "peek", "celery"],
        &["dead", "list"],
        &["explain"],
        &["settings", "show"],
        &["settings", "show", "--origin"],
        &["task", "revoke", &id],
    ] {
        let shown = in_chinese(&home, line);
        assert_eq!(shown.status, 0, "{line:?}: {}", shown.stderr);
        let head = shown.stdout.lines().next().unwrap_or_default();
        assert_eq!(english_words(head), Vec::<&str>::new(), "{line:?}: {head}");
        assert!(!head.is_ascii(), "{line:?}: {head}");
    }
}

#[test]
fn what_is_known_of_a_task_is_told_in_chinese() {
    let home = Home::new();
    let id = home.send(&["t", "--in", "1h"]);
    let shown = in_chinese(&home, &["task", "get", &id]);
    for line in shown.stdout.lines() {
        assert!(!line.starts_with(|c: char| c.is_ascii_lowercase()), "{line}");
    }
    assert!(shown.stdout.contains("位置      延迟到 "), "{}", shown.stdout);
}

#[test]
fn the_talk_beside_the_data_is_chinese() {
    let home = Home::new();
    let new = in_chinese(&home, &["send", "cardoon.noop", "--id", "a"]);
    assert!(new.stderr.starts_with("新数据库  sqlite:/"), "{}", new.stderr);
    let again = in_chinese(&home, &["send", "cardoon.noop", "--id", "a"]);
    assert_eq!(again.stderr, "a 以前发送过，这次什么也没有添加\n");
    let peeked = in_chinese(&home, &["queue", "peek", "mail"]);
    assert_eq!(peeked.stderr, "没有名为 mail 的队列；已有的：celery\n");
    let revoked = in_chinese(&home, &["task", "revoke", "b"]);
    assert_eq!(revoked.stderr, "未知 id 的撤销会被记住：以后收到这个任务也不会执行\n");
    let followed = in_chinese(&home, &["events", "--for", "10ms"]);
    assert!(followed.stderr.starts_with("正在跟踪 sqlite:/"), "{}", followed.stderr);
}

#[test]
fn the_report_of_the_demo_is_chinese() {
    let home = Home::new();
    let line = ["demo", "mail", "--mails", "20", "--slots", "2", "--seconds", "0.01"];
    let shown = in_chinese(&home, &line);
    assert_eq!(shown.status, 0, "{}", shown.stderr);
    assert!(shown.stderr.starts_with("20 封邮件，每封 10ms，2 个 worker 进程"), "{}", shown.stderr);
    assert!(shown.stdout.contains("丢失        0\n"), "{}", shown.stdout);
    assert_eq!(english_words(&shown.stdout), Vec::<&str>::new(), "{}", shown.stdout);
}

#[test]
fn programs_read_the_same_in_every_language() {
    let home = Home::new();
    home.send(&["cardoon.noop", "--in", "1h", "--id", "a"]);
    for line in [&["task", "list", "-o", "json"][..], &["task", "get", "a", "-o", "json"]] {
        let (english, chinese) = (home.run(line), in_chinese(&home, line));
        assert_eq!(english.stdout, chinese.stdout);
    }
}

#[test]
fn a_worker_greets_in_chinese() {
    let home = Home::new();
    let mut command = home.command(&["worker", "--builtin"]);
    command.env("LANG", "zh_CN.UTF-8");
    let worker = crate::support::Running::start(command);
    worker.says("数据库    sqlite:/");
    worker.says("队列      celery");
    eventually(|| home.run(&["queue", "list"]), |ended| ended.status == 0);
}
