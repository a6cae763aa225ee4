//! The program `cardoon-data`.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        home.write("logs/a.csv", "user_id,action\n1,login\n2,view\n1,view\n");
        home.write("logs/b.csv", "user_id,action\n1,logout\n");
        home
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.path().join(name)).unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cardoon-data"));
        command.args(words).current_dir(self.0.path()).env("LC_ALL", "C").stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }
}

const COUNTS: &str = "select user_id, count(*) as n from 'logs/*.csv' group by user_id order by user_id";

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn rows_are_written_in_the_wanted_form() {
    let home = Home::new();
    let as_form = |form| stdout(&home.run(&["sql", COUNTS, "-o", form]));
    assert_eq!(as_form("csv"), "user_id,n\n1,3\n2,1\n");
    assert_eq!(as_form("json"), r#"[{"user_id":1,"n":3},{"user_id":2,"n":1}]"#);
    assert_eq!(as_form("jsonl"), "{\"user_id\":1,\"n\":3}\n{\"user_id\":2,\"n\":1}\n");
    assert!(as_form("table").contains("| 1       | 3 |"), "{}", as_form("table"));
    assert!(home.run(&["sql", COUNTS, "-o", "parquet"]).stdout.starts_with(b"PAR1"));
}

#[test]
fn a_file_is_written_and_data_stays_off_standard_output() {
    let home = Home::new();
    let output = home.run(&["sql", COUNTS, "--out", "counts.csv"]);
    assert_eq!(stdout(&output), "");
    assert!(stderr(&output).contains("2 rows written to counts.csv"));
    assert!(
        stderr(&output).contains(" s: 4 rows and 61 B read, 0 B spilled, 0 restarts, 0 retries"),
        "{output:?}"
    );
    assert_eq!(home.read("counts.csv"), "user_id,n\n1,3\n2,1\n");
}

#[test]
fn the_query_may_come_from_standard_input() {
    let home = Home::new();
    home.write("query.sql", COUNTS);
    let query = fs::File::open(home.0.path().join("query.sql")).unwrap();
    let output = home.command(&["sql", "-", "-o", "csv"]).stdin(query).output().unwrap();
    assert_eq!(stdout(&output), "user_id,n\n1,3\n2,1\n");
}

#[test]
fn an_error_has_a_code_a_status_and_a_next_step() {
    let home = Home::new();
    let output = home.run(&["sql", "select usr_id from 'logs/*.csv'"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.starts_with("error[CD8004]") && said.contains("\"user_id\""), "{said}");
    assert!(said.contains("cardoon explain CD8004"), "{said}");
    let mut chinese = home.command(&["sql", "select 1 from 'none/*.csv'"]);
    let output = chinese.env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).starts_with("错误[CD8001]："), "{}", stderr(&output));
}

#[test]
fn help_and_slips_are_told_in_the_language_of_the_locale() {
    let home = Home::new();
    let in_chinese = |words| home.command(words).env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
    assert!(stdout(&home.run(&["--help"])).contains("Usage: cardoon data <COMMAND>"));
    let help = stdout(&in_chinese(&["--help"]));
    assert!(help.contains("用法：cardoon data <COMMAND>"), "{help}");
    assert!(help.contains("在本机启动一个调度器和若干个执行器"), "{help}");
    let output = in_chinese(&["executor"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("缺少参数 --scheduler <ADDRESS>"), "{output:?}");
}

#[test]
fn too_little_memory_is_refused() {
    let output = Home::new().run(&["sql", COUNTS, "--memory", "200MiB"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("CD8012"), "{}", stderr(&output));
}

#[test]
fn what_columns_hold_and_bad_rows_are_chosen() {
    let home = Home::new();
    home.write("zip.csv", "zip;n\n01067;1\n2\n");
    let words =
        ["sql", "select zip, n from 'zip.csv'", "-o", "csv", "--delimiter", ";", "--type", "zip=text"];
    assert_eq!(home.run(&words).status.code(), Some(1), "a row has too few fields");
    let output = home.run(&[&words[..], &["--bad-rows", "skip"]].concat());
    assert_eq!(stdout(&output), "zip,n\n01067,1\n");
    assert!(stderr(&output).contains("1 rows"), "{}", stderr(&output));
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let home = Home::new();
    home.write("many.csv", &format!("n\n{}", "12345\n".repeat(300_000)));
    let mut command = home.command(&["sql", "select n from 'many.csv'", "-o", "csv"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && !stderr(&output).contains("error"), "{output:?}");
}

#[test]
fn the_demo_counts_the_same_on_one_thread_on_all_and_on_a_cluster() {
    let home = Home::new();
    let words = ["demo", "logs", "--gb", "0.002", "--folder", "made", "--threads", "2"];
    let table = stdout(&home.run(&words));
    assert!(table.contains("1 thread ") && table.contains("2 threads"), "{table}");
    let first = home.read("made/log-07.csv");
    assert!(first.starts_with("user_id,action,timestamp\n") && first.len() >= 100_000);
    // The files are there, so they are not made again.
    assert_eq!(stdout(&home.run(&words)).lines().count(), 4);
    assert_eq!(home.read("made/log-07.csv"), first);
}

#[test]
fn what_files_hold_does_not_order_the_terminal_about() {
    let home = Home::new();
    home.write("esc.csv", "x\n\u{1b}[31mred\n");
    let table = stdout(&home.run(&["sql", "select x from 'esc.csv'"]));
    assert!(table.contains("\\u{1b}[31mred") && !table.contains('\u{1b}'), "{table}");
}

/// A limit to the size of a file stands for the end of the disk.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_for_spilled_data_is_told_of_and_left_empty() {
    let home = Home::new();
    home.write("many.csv", &format!("n\n{}", "12345\n".repeat(600_000)));
    fs::create_dir(home.0.path().join("spilled")).unwrap();
    let query = "select n, repeat('x', 500) || n as long from 'many.csv' order by long";
    let words = ["sql", query, "-o", "csv", "--memory", "256MiB", "--spill-folder", "spilled"];
    let mut limited = Command::new("env");
    limited.args(["--ignore-signal=XFSZ", "prlimit", "--fsize=1048576", env!("CARGO_BIN_EXE_cardoon-data")]);
    let output = limited.args(words).current_dir(home.0.path()).env("LC_ALL", "C").output().unwrap();
    let said = stderr(&output);
    assert!(!output.status.success() && output.stdout.is_empty(), "{said}");
    assert!(said.contains("CD8014") && said.contains("--spill-folder"), "{said}");
    assert_eq!(fs::read_dir(home.0.path().join("spilled")).unwrap().count(), 0, "spilled files are left");
}

#[cfg(unix)]
#[test]
fn a_query_that_is_interrupted_leaves_nothing_behind() {
    let home = Home::new();
    home.write("many.csv", &format!("n,m\n{}", "12345,some text to carry\n".repeat(2_000_000)));
    let words =
        ["sql", "select * from 'many.csv' order by m, n", "--out", "all.csv", "--spill-folder", "spilled"];
    fs::create_dir(home.0.path().join("spilled")).unwrap();
    let child = home.command(&words).stderr(Stdio::null()).spawn().unwrap();
    let begun = || fs::read_dir(home.0.path().join("spilled")).unwrap().next().is_some();
    let mut looks = 0;
    while !begun() {
        looks += 1;
        assert!(looks < 10_000_000, "nothing was begun");
    }
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    assert!(!begun(), "spilled files are left");
    let mut left = fs::read_dir(home.0.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!left.any(|name| name.to_string_lossy().contains("all.csv")));
}
