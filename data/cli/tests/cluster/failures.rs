//! What is wrong with a query or its files is told as in one process, and the cluster goes on.

use std::fmt::Write as _;
use std::process::Output;

use crate::rig::{Cluster, Home, stderr, stdout};

async fn ask(home: &Home, cluster: &Cluster, query: &str, words: &[&str]) -> Output {
    home.run(&[&["sql", query, "-o", "csv", "--cluster", &cluster.address], words].concat()).await
}

/// Numbers, with `late` at the row that no sample has.
fn late(late: &str) -> String {
    let mut text = String::from("user_id,n\n");
    for row in 0..400_000 {
        if row == 250_001 {
            writeln!(text, "{late}").unwrap();
        }
        writeln!(text, "{},{}", row % 1000, row % 7).unwrap();
    }
    text
}

#[tokio::test]
async fn a_column_that_turns_out_to_hold_text_is_widened() {
    let home = Home::new();
    home.write("a.csv", late("guest,1"));
    let cluster = home.cluster(&[]).await;
    let query = "select user_id, count(*) as n from 'a.csv' group by user_id order by n, user_id limit 2";
    let output = ask(&home, &cluster, query, &[]).await;
    assert_eq!(stdout(&output), "user_id,n\nguest,1\n0,400\n");
    assert!(
        stderr(&output).contains("1 restart"),
        "no sample has the text, or this shows nothing: {output:?}"
    );
    let output = ask(&home, &cluster, "select user_id from 'a.csv'", &[]).await;
    assert_eq!(stdout(&output).lines().nth(250_002), Some("guest"), "it is widened to the end");
}

#[tokio::test]
async fn a_bad_row_is_named_and_may_be_left_out() {
    let home = Home::new();
    home.write("logs/a.csv", "user_id,n\n1,2\n");
    home.write("logs/b.csv", late("1,2,3,4"));
    let cluster = home.cluster(&[]).await;
    let query = "select count(*) as rows, sum(user_id + n) as s from 'logs/*.csv'";
    let output = ask(&home, &cluster, query, &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    for part in ["error[CD8005]", "logs/b.csv", "line 250003"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let skipped = stdout(&ask(&home, &cluster, query, &["--bad-rows", "skip"]).await);
    assert!(skipped.starts_with("rows,s\n400001,"), "{skipped}");
}

#[tokio::test]
async fn errors_have_the_codes_that_they_have_in_one_process() {
    let home = Home::new();
    home.write("a.csv", "user_id,day\n1,monday\n");
    let cluster = home.cluster(&[]).await;
    for (query, code, status) in [
        ("select usr_id from 'a.csv'", "CD8004", 2),
        ("select * from 'none.csv'", "CD8001", 4),
        ("selec 1", "CD8011", 2),
        ("select cast(day as int) from 'a.csv'", "CD8011", 2),
    ] {
        let (here, there) = (home.run(&["sql", query]).await, ask(&home, &cluster, query, &[]).await);
        assert!(stderr(&there).starts_with(&format!("error[{code}]")), "{query}: {}", stderr(&there));
        assert_eq!(there.status.code(), Some(status), "{query}");
        let first = |output| stderr(output).lines().next().map(str::to_owned);
        assert_eq!(first(&there), first(&here), "{query}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_executors_do_not_see_is_named() {
    let (home, elsewhere) = (Home::new(), Home::new());
    home.write("a.csv", "user_id,n\n1,2\n");
    let cluster = elsewhere.cluster(&[]).await;
    for kind in ["parquet", "jsonl"] {
        stdout(&home.run(&["sql", "select * from 'a.csv'", "--out", &format!("a.{kind}")]).await);
    }
    for kind in ["csv", "parquet", "jsonl"] {
        // Each process finds its own folder there, as if it were on a machine of its own.
        let query = format!("select * from '/proc/self/cwd/a.{kind}'");
        stdout(&home.run(&["sql", &query]).await);
        let output = ask(&home, &cluster, &query, &[]).await;
        let said = stderr(&output);
        assert!(said.contains("error[CD8021]") && said.contains(&format!("a.{kind}")), "{said}");
    }
}

#[tokio::test]
async fn a_query_that_needs_too_much_memory_fails_and_the_executors_live() {
    let home = Home::new();
    home.write("a.csv", format!("text\n{}", "some text to be kept\n".repeat(100_000)));
    let cluster = home.cluster(&["--memory", "256MiB"]).await;
    let before = cluster.ids().await;
    let greedy = "select length(string_agg(t, '')) as n from (select repeat(text, 100) as t from 'a.csv')";
    for query in
        [greedy, "select cardinality(array_agg(t)) as n from (select repeat(text, 100) as t from 'a.csv')"]
    {
        let output = ask(&home, &cluster, query, &[]).await;
        let said = stderr(&output);
        assert!(said.contains("error[CD8013]"), "{query}: {said}");
    }
    assert_eq!(cluster.ids().await, before);
    assert_eq!(stdout(&ask(&home, &cluster, "select count(*) as n from 'a.csv'", &[]).await), "n\n100000\n");
}

#[tokio::test]
async fn what_is_larger_than_the_memory_is_spilled() {
    let home = Home::new();
    let mut text = String::from("key,n\n");
    for row in 0..200_000 {
        writeln!(text, "{},{row}", row * 7919 % 200_003).unwrap();
    }
    home.write("a.csv", text);
    let cluster = home.cluster(&["--memory", "256MiB"]).await;
    let query = "select sum(length(t)) as n, count(*) as rows from (select repeat('x', 500) as t, row_number() over (order by key desc) as nth from 'a.csv') where nth > 0";
    assert_eq!(stdout(&ask(&home, &cluster, query, &[]).await), "n,rows\n100000000,200000\n");
    let joined = "select count(*) as n from 'a.csv' l join 'a.csv' r on l.key = r.key";
    assert_eq!(stdout(&ask(&home, &cluster, joined, &[]).await), "n\n200000\n");
}

#[tokio::test]
async fn what_a_cluster_cannot_do_says_so() {
    let home = Home::new();
    home.write("array.json", "[{\"a\":1},{\"a\":2}]");
    let cluster = home.cluster(&[]).await;
    let recursive =
        "with recursive n as (select 1 as x union all select x + 1 from n where x < 3) select * from n";
    for (query, code) in [("select sum(a) from 'array.json'", "CD8002"), (recursive, "CD8011")] {
        assert!(home.sql(query, &[]).await.lines().count() > 1);
        let output = home.run(&["sql", query, "--cluster", &cluster.address]).await;
        let said = stderr(&output);
        assert!(
            said.starts_with(&format!("error[{code}]")) && said.contains("leave out --cluster"),
            "{said}"
        );
    }
}
