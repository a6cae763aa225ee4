//! SQL.

use cardoon_errors::Code;
use cardoon_frame::Frame;

use crate::support::{Rig, lines};

#[tokio::test]
async fn files_are_tables_by_their_names() {
    let rig = Rig::new();
    rig.write("a.csv", "User,n\n1,2\n1,3\n2,4\n");
    let query = "select User, sum(n) as n from '{}/*.csv' group by User order by n desc";
    assert_eq!(rig.rows(&rig.sql(query)).await, ["1|5", "2|4"]);
}

#[tokio::test]
async fn frames_are_tables_by_the_names_they_are_given() {
    let rig = Rig::new();
    rig.write("a.csv", "x\n1\n2\n");
    let frame = Frame::Sql {
        query: "select sum(x) from small where x > 1".into(),
        tables: vec![("small".into(), rig.scan("a.csv"))],
    };
    assert_eq!(rig.rows(&frame).await, ["2"]);
}

#[tokio::test]
async fn a_query_only_reads() {
    let rig = Rig::new();
    rig.write("a.csv", "x\n1\n");
    for query in [
        "copy (select 1) to '{}/b.csv'",
        "create external table t stored as csv location '{}/a.csv'",
        "create table t as select 1",
        "insert into '{}/a.csv' values (1)",
        "set datafusion.execution.target_partitions = 9",
    ] {
        assert_eq!(rig.error(&rig.sql(query)).await.code(), Code::BadQuery, "{query}");
    }
    assert_eq!(rig.listing(), ["a.csv"]);
}

#[tokio::test]
async fn what_cannot_be_understood_says_where() {
    let rig = Rig::new();
    for query in ["selec 1", "select * from nowhere", "select nothing(1)", "", "select 1; select 2"] {
        let error = rig.error(&Frame::sql(query)).await;
        assert_eq!(error.code(), Code::BadQuery, "{query}: {error:?}");
        assert!(!error.findings().is_empty(), "{query}: {error:?}");
    }
    let hint = rig.error(&Frame::sql("select * from logs.csv")).await.next_step().unwrap().to_owned();
    assert!(hint.contains("single quotes"), "{hint}");
}

#[tokio::test]
async fn more_groups_than_memory_are_spilled() {
    let rig = Rig::new();
    let rows = lines(0..600_000, |n| format!("{n},{:032x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    rig.write("a.csv", format!("a,b\n{rows}"));
    let query = "select count(*), sum(n) from (select a, b, a || b || a || b as c, count(*) n from '{}/a.csv' group by a, b, c)";
    assert_eq!(rig.rows(&rig.sql(query)).await, ["600000|600000"]);
    assert!(rig.engine.progress().spilled_bytes > 0, "the test shows nothing");
}

#[tokio::test]
async fn joins_that_do_not_fit_are_sorted_and_spilled() {
    let rig = Rig::new();
    let rows = lines(0..120_000, |n| format!("{n},{}", "x".repeat(400)));
    rig.write("a.csv", format!("a,b\n{rows}"));
    let wide = |key: &str| format!("(select a as {key}, b || b || b || b as b from '{{}}/a.csv')");
    let query = format!(
        "select count(*), sum(length(l.b) + length(r.b)) from {} l join {} r on l.c = r.d",
        wide("c"),
        wide("d")
    );
    assert_eq!(rig.rows(&rig.sql(&query)).await, ["120000|384000000"]);
    assert_eq!(rig.engine.progress().restarts, 1, "it fitted, so the test shows nothing");
}

#[tokio::test]
async fn a_recursive_query_reads_its_files_in_each_round() {
    let rig = Rig::new();
    rig.write("edges.csv", "a,b\n1,2\n2,3\n3,4\n4,5\n");
    let query = "with recursive r as (select 1 as n union all \
                 select e.b as n from r join '{}/edges.csv' e on e.a = r.n) select n from r order by n";
    assert_eq!(rig.rows(&rig.sql(query)).await, ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_query_is_not_as_long_as_it_likes() {
    let rig = Rig::new();
    let long = Frame::sql(format!("select 1{} as a", "+1".repeat(40_000)));
    assert_eq!(rig.error(&long).await.code(), Code::BadQuery);
}

/// The engine moves limits below windows, where it has to be kept from it.
#[tokio::test]
async fn a_limit_does_not_change_what_a_window_sees() {
    let rig = Rig::with(|settings| settings.threads = Some(3));
    let rows = lines(0..1000, |n| format!("{},{n}", n % 100));
    rig.write("a.csv", format!("k,v\n{rows}"));
    for (query, rows) in [
        (
            "select k, sum(v) over (partition by k) as s, sum(v) over () as t from '{}/a.csv' order by k limit 1",
            vec!["0|4500|499500"],
        ),
        (
            "select k, row_number() over (order by k) as n from (select distinct k from '{}/a.csv') order by k desc limit 1",
            vec!["99|100"],
        ),
        (
            "select k, count(*) over () as n from (select k from '{}/a.csv' group by k) order by k limit 2",
            vec!["0|100", "1|100"],
        ),
        (
            "select k, sum(k) over (order by k) as s from (select k from '{}/a.csv' group by k) order by k desc limit 1",
            vec!["99|4950"],
        ),
        (
            "select k, count(*) over () as n from (select distinct k from '{}/a.csv') limit 1 offset 99",
            vec!["_|100"],
        ),
    ] {
        let found = rig.rows(&rig.sql(query)).await;
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        if rows[0].starts_with('_') {
            assert!(found.len() == 1 && found[0].ends_with("|100"), "{query}: {found:?}");
        } else {
            assert_eq!(found, rows, "{query}");
        }
    }
}
