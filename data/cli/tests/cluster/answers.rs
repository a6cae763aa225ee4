//! A cluster answers as a single process does.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::rig::{Cluster, Home, sorted, stdout};

/// Queries whose rows have no order.
const UNORDERED: [&str; 42] = [
    "select action, count(*) as n, sum(amount) as s, min(ts) as first from 'logs/*.csv' group by action",
    "select l.user_id, u.city, count(*) as n from 'logs/*.csv' l join 'users.csv' u on l.user_id = u.id group by l.user_id, u.city",
    "select l.user_id, u.name, sum(l.amount) as s from 'logs/*.csv' l left join 'users.csv' u on l.user_id = u.id group by l.user_id, u.name",
    "select u.id, count(l.id) as n, sum(l.amount) as s from 'users.csv' u left join 'logs/*.csv' l on l.user_id = u.id group by u.id",
    "select u.city, count(*) as n from 'users.csv' u right join 'logs/*.csv' l on l.user_id = u.id group by u.city",
    "select count(*) as n, count(u.id) as users, count(l.id) as logs from 'logs/*.csv' l full join 'users.csv' u on l.user_id = u.id + 3",
    "select id, name from 'users.csv' u where exists (select 1 from 'logs/*.csv' l where l.user_id = u.id)",
    "select id, name from 'users.csv' u where not exists (select 1 from 'logs/*.csv' l where l.user_id = u.id)",
    "select a.action, count(*) as n, sum(b.amount) as s from 'logs/*.csv' a join 'logs/*.csv' b on a.user_id = b.user_id and a.id = b.id group by a.action",
    "select count(*) as n, sum(l.amount) as s from 'logs/*.csv' l left join 'nobody.csv' u on l.user_id = u.id",
    "select l.id from 'logs/*.csv' l left join 'nobody.csv' u on l.user_id = u.id order by l.id limit 9",
    "select count(*) as n from 'logs/*.csv' where user_id not in (select id from 'nobody.csv')",
    "select count(*) as n from 'logs/*.csv' l join (select * from 'users.csv' where id > 1000) u on l.user_id = u.id",
    "select l.id, row_number() over (order by l.id) as nth from 'logs/*.csv' l full join 'nobody.csv' u on l.user_id = u.id",
    "select sum(v) as s from 'few.csv' x left join 'none.csv' y on x.k = y.k",
    "select sum(v) as s, count(*) as n from 'few.csv' x full join 'none.csv' y on x.k = y.k",
    "select v, row_number() over (order by v) as nth from 'few.csv' x left join 'none.csv' y on x.k = y.k",
    "select v from 'few.csv' where k not in (select k from 'none.csv')",
    "select v from 'few.csv' x left join 'none.csv' y on x.k = y.k",
    "select count(*) as n from 'few.csv' x where not exists (select 1 from 'none.csv' y where y.k = x.k)",
    "select count(*) as n, sum(x.v) as s from 'few.csv' x left join 'few.csv' y on x.k = y.v",
    "select x.v, l.id from 'few.csv' x left join 'logs/*.csv' l on l.amount > x.v + 94 and l.id > x.k * 9000",
    "select x.v, l.id from 'few.csv' x left join 'logs/*.csv' l on l.id < x.k",
    "select count(*) as n, count(x.k) as few from 'few.csv' x full join 'logs/*.csv' l on l.id < x.v",
    "select v from 'few.csv' x where exists (select 1 from 'logs/*.csv' l where l.id > x.k)",
    "select v from 'few.csv' x where not exists (select 1 from 'logs/*.csv' l where l.id < x.k - 9)",
    "select v from 'few.csv' x where v > 3 or exists (select 1 from 'logs/*.csv' l where l.id < x.k - 9)",
    "select distinct action, user_id % 5 as part from 'logs/*.csv'",
    "select count(distinct user_id) as users, count(distinct action) as actions from 'logs/*.csv'",
    "select user_id, id, row_number() over (partition by user_id order by id) as nth, lag(id) over (partition by user_id order by id) as before from 'logs/*.csv' where user_id < 5",
    "select id, amount from 'logs/log-0.csv' union all select id, 0 from 'users.csv'",
    "select count(*) as n from 'logs/*.csv' where user_id not in (select id from 'users.csv' where id is not null)",
    "select count(*) as n from 'logs/*.csv' where user_id not in (select id from 'users.csv') or amount < 3",
    "select count(*) as n from 'logs/*.csv' l where user_id not in (select id from 'users.csv' u where u.id = l.user_id + l.id % 2)",
    "select count(*) as n from 'logs/*.csv' where (note in (select note from 'logs/log-0.csv' where note < 't')) is null",
    "select count(*) as n, min(id) as least from 'logs/*.csv' where amount > (select avg(amount) from 'logs/*.csv')",
    "select user_id, count(*) as n from 'logs/*.csv' group by user_id having count(*) > 110",
    "select action, median(amount) as m from 'logs/*.csv' group by action",
    "select date_trunc('hour', ts) as hour, count(*) as n from 'logs/*.csv' group by 1",
    "select upper(substr(note, 1, 6)) as start, max(length(note)) as longest, count(note) as noted from 'logs/*.csv' group by 1",
    "select user_id from 'logs/*.csv' where user_id < 0",
    "select count(*) as n from 'logs/*.csv'",
];

/// Queries that say in which order their rows come, or whose rows come as the files have them.
const ORDERED: [&str; 8] = [
    "select v from 'few.csv' x left join 'none.csv' y on x.k = y.k order by v",
    "select v from 'few.csv' where k not in (select k from 'none.csv') order by v limit 3",
    "select id, amount from 'logs/*.csv' order by amount desc, id limit 17",
    "select user_id, sum(amount) as s from 'logs/*.csv' group by user_id order by s desc, user_id limit 10 offset 5",
    "select * from 'logs/log-1.csv'",
    "select id, note from 'logs/*.csv'",
    "select id from 'logs/*.csv' limit 3000",
    "with t as (select user_id as u, count(*) as n from 'logs/*.csv' group by 1) select u, n, rank() over (order by n desc, u) as r from t order by r",
];

/// Six files of a log, and the users who are in it but for every seventh.
fn write_logs(home: &Home) {
    let mut rng = fastrand::Rng::with_seed(7);
    for file in 0..6 {
        let mut log = String::from("id,user_id,action,amount,ts,note\n");
        for row in 0..700 + file * 150 {
            let (id, user, quarters) = (file * 10_000 + row, rng.u32(0..40), rng.u32(0..400));
            let action = rng.choice(["view", "login", "buy", "logout"]).unwrap();
            let (hour, minute) = (rng.u32(0..24), rng.u32(0..60));
            let note = rng.choice(["", "plain text", "\"with, comma\"", "\"two\nlines\"", "grüße"]).unwrap();
            let amount = f64::from(quarters) / 4.0;
            writeln!(log, "{id},{user},{action},{amount},2024-05-01 {hour:02}:{minute:02}:00,{note}")
                .unwrap();
        }
        home.write(&format!("logs/log-{file}.csv"), log);
    }
    let mut users = String::from("id,name,city\n");
    for id in (0..50).filter(|id| id % 7 != 3) {
        writeln!(users, "{id},user {id},{}", ["Basel", "Lyon", "Xi'an"][id % 3]).unwrap();
    }
    home.write("users.csv", users);
    home.write("nobody.csv", "id,name,city\n");
    // So small that neither side of a join is the smaller one.
    home.write("few.csv", "k,v\n1,9\n2,3\n3,4\n4,1\n");
    home.write("none.csv", "k,w\n");
}

#[tokio::test]
async fn the_answers_are_the_same_as_those_of_one_process() {
    let home = Home::new();
    write_logs(&home);
    let cluster = home.cluster(&[]).await;
    let single = home.cluster_of("1", "1", &[]).await;
    let on = ["--cluster", &cluster.address];
    for query in UNORDERED {
        let (here, there) = (home.sql(query, &[]).await, home.sql(query, &on).await);
        assert_eq!(sorted(&there), sorted(&here), "{query}");
        let there = home.sql(query, &["--cluster", &single.address]).await;
        assert_eq!(sorted(&there), sorted(&here), "on one thread: {query}");
    }
    for query in ORDERED {
        assert_eq!(home.sql(query, &on).await, home.sql(query, &["--threads", "1"]).await, "{query}");
    }
}

/// A file of some megabytes, with line ends within quotes.
fn big() -> String {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut big = String::from("id,text,n\n");
    for id in 0..60_000 {
        let lines = "\n\"\"quoted\"\", and\n".repeat(rng.usize(0..4));
        writeln!(big, "{id},\"begin{lines}end\",{}", rng.u32(0..1000)).unwrap();
    }
    big
}

#[tokio::test]
async fn one_large_file_is_read_by_all_and_keeps_its_rows_and_their_order() {
    let home = Home::new();
    home.write("big.csv", big());
    let cluster = home.cluster(&[]).await;
    let on = ["--cluster", &cluster.address];
    let sums = "select count(*) as rows, sum(n) as n, sum(length(text)) as letters, count(distinct text) as texts from 'big.csv'";
    assert_eq!(home.sql(sums, &on).await, home.sql(sums, &[]).await);
    let plan = plan(&home, sums, &cluster).await;
    assert!(plan.contains("file_groups={4 groups"), "it is not cut, so that this test shows nothing: {plan}");
    let all = "select * from 'big.csv'";
    assert!(home.sql(all, &on).await == home.sql(all, &["--threads", "1"]).await, "the order is another one");
}

#[tokio::test]
async fn all_kinds_of_files_are_read_and_a_file_is_written() {
    let home = Home::new();
    write_logs(&home);
    let packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let text = std::fs::read(home.path().join("logs/log-2.csv")).unwrap();
    let mut packed = packed;
    packed.write_all(&text).unwrap();
    home.write("log.csv.gz", packed.finish().unwrap());
    for name in ["log.parquet", "log.jsonl"] {
        stdout(&home.run(&["sql", "select * from 'logs/log-2.csv'", "--out", name]).await);
    }
    let cluster = home.cluster(&[]).await;
    let on = ["--cluster", cluster.address.as_str()];
    for name in ["log.csv.gz", "log.parquet", "log.jsonl"] {
        let query = format!(
            "select action, count(*) as n, sum(amount) as s, count(note) as notes from '{name}' group by action order by action"
        );
        assert_eq!(home.sql(&query, &on).await, home.sql(&query, &[]).await, "{name}");
        assert_eq!(home.sql(&query, &on).await.lines().count(), 5, "{name}");
    }
    let all = "select user_id, sum(amount) as s from 'logs/*.csv' group by user_id order by user_id";
    let written = home.run(&["sql", all, "--out", "sums.parquet", on[0], on[1]]).await;
    stdout(&written);
    let sums = home.sql("select * from 'sums.parquet'", &["--threads", "1"]).await;
    assert_eq!(sums, home.sql(all, &[]).await);
}

/// How a query is carried out on the cluster.
async fn plan(home: &Home, query: &str, cluster: &Cluster) -> String {
    stdout(&home.run(&["sql", query, "--explain", "--cluster", &cluster.address]).await)
}

#[tokio::test]
async fn the_small_side_of_a_join_goes_to_every_task_where_its_rows_are_not_told_alone() {
    let home = Home::new();
    write_logs(&home);
    let cluster = home.cluster(&[]).await;
    let joined = async |kind: &str| {
        let query = format!("select l.id from 'logs/*.csv' l {kind} join 'users.csv' u on l.user_id = u.id");
        plan(&home, &query, &cluster).await
    };
    for kind in ["", "left", "left semi"] {
        assert!(joined(kind).await.contains("BroadcastExec"), "{kind} join");
    }
    for kind in ["right", "full"] {
        let plan = joined(kind).await;
        assert!(plan.contains("mode=Partitioned") && !plan.contains("BroadcastExec"), "{kind} join: {plan}");
    }
}

#[tokio::test]
async fn joins_that_no_executor_can_hold_are_sorted() {
    let home = Home::new();
    let mut rows = String::from("a,b\n");
    for row in 0..100_000 {
        writeln!(rows, "{row},{}", "x".repeat(400)).unwrap();
    }
    home.write("a.csv", rows);
    let wide = |key: &str| format!("(select a as {key}, repeat(b, 3) as b from 'a.csv')");
    let query = format!(
        "select count(*) as n, sum(length(l.b) + length(r.b)) as s from {} l join {} r on l.c = r.d",
        wide("c"),
        wide("d")
    );
    let cluster = home.cluster(&["--memory", "256MiB"]).await;
    let ended = home.run(&["sql", &query, "-o", "csv", "--cluster", &cluster.address]).await;
    assert_eq!(stdout(&ended), "n,s\n100000,240000000\n");
}
