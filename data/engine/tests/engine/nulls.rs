//! What a null means in SQL.

use crate::support::Rig;

#[tokio::test]
async fn nulls_are_equal_in_that_join_alone_which_says_so() {
    let rig = Rig::new();
    rig.write("p.csv", "k,g\n1,1\n1,\n,1\n");
    rig.write("q.csv", "g,h\n1,1\n,2\n");
    rig.write("r.csv", "k,z\n1,1\n,5\n");
    let joined = |first: &str, second: &str| {
        rig.sql(&format!(
            "select p.k, p.g, q.h, r.z from '{{}}/p.csv' p join '{{}}/q.csv' q on {first} join '{{}}/r.csv' r on {second}"
        ))
    };
    let same = "p.k is not distinct from r.k";
    assert_eq!(rig.sorted(&joined("p.g = q.g", same)).await, ["1|1|1|1", "null|1|1|5"]);
    assert_eq!(
        rig.sorted(&joined("p.g is not distinct from q.g", "p.k = r.k")).await,
        ["1|1|1|1", "1|null|2|1"]
    );
}

/// The rows are those that `DuckDB` gives.
#[tokio::test]
async fn is_distinct_from_binds_as_is_null_does() {
    let rig = Rig::new();
    rig.write("a.csv", "id,a,b,c\n1,1,1,true\n2,1,2,true\n3,,2,false\n4,,,true\n5,2,,false\n");
    for (condition, ids) in [
        ("a is distinct from b and c", vec!["2"]),
        ("a is not distinct from b and c", vec!["1", "4"]),
        ("a is distinct from b or c", vec!["1", "2", "3", "4", "5"]),
        ("c and a is not distinct from b or id = 5", vec!["1", "4", "5"]),
        ("not a is distinct from b and id > 1", vec!["4"]),
        ("a is distinct from b + 1 - 1 and not c", vec!["3", "5"]),
        ("a IS /* so */ NOT\n DISTINCT\n FROM b AND id IN (1, 2)", vec!["1"]),
        ("(a is distinct from b) = c and id < 3", vec!["2"]),
    ] {
        let query = rig.sql(&format!("select id from '{{}}/a.csv' where {condition} order by id"));
        assert_eq!(rig.rows(&query).await, ids, "{condition}");
    }
    let nested = "select count(*) from (select * from '{}/a.csv' where a is distinct from b and c) t \
                  join '{}/a.csv' u on t.id is not distinct from u.id and u.c";
    assert_eq!(rig.rows(&rig.sql(nested)).await, ["1"]);
    assert_eq!(rig.rows(&rig.sql("select 'is distinct from'")).await, ["is distinct from"]);
}

/// `p`, and `q` with rows that are like some of its rows, with nulls in both.
fn two_tables() -> Rig {
    let rig = Rig::new();
    rig.write("p.csv", "id,a,k\n1,1,1\n2,2,1\n3,,1\n4,1,2\n5,,2\n6,9,3\n7,,3\n");
    rig.write("q.csv", "x,k\n1,1\n,1\n5,2\n");
    rig
}

/// The rows are those that `DuckDB` gives.
#[tokio::test]
async fn whether_a_value_is_in_rows_with_nulls_may_be_unknown() {
    let rig = two_tables();
    for (condition, ids) in [
        ("a not in (select x {q})", ""),
        ("a not in (select x {q} where x is not null)", "2 6"),
        ("a not in (select x {q} where x > 9)", "1 2 3 4 5 6 7"),
        ("a not in (select x {q}) or id = 2", "2"),
        ("a not in (select x {q} where x is not null) or id = 3", "2 3 6"),
        ("a not in (select x {q} where x > 9) or id = 2", "1 2 3 4 5 6 7"),
        ("not (a in (select x {q}) or id = 4)", ""),
        ("(a in (select x {q})) is null", "2 3 5 6 7"),
        ("(a in (select x {q} where x is not null)) is null", "3 5 7"),
        (
            "case when a in (select x {q}) then 1 when not a in (select x {q}) then 2 else 3 end = 3",
            "2 3 5 6 7",
        ),
        ("coalesce(a not in (select x {q} where x is not null), true)", "2 3 5 6 7"),
        ("a in (select x {q}) or id = 6", "1 4 6"),
        ("a not in (select x {q} where q.k = p.k)", "4 6 7"),
        ("not a in (select x {q} where q.k = p.k)", "4 6 7"),
        ("a not in (select x {q} where q.k = p.k) or id = 3", "3 4 6 7"),
        ("(a in (select x {q} where q.k = p.k)) is null", "2 3 5"),
        ("a + 1 not in (select x + 1 {q} where q.k = p.k) and k in (select k {q})", "4"),
        ("(a in (select x {q})) = (k in (select k {q}))", "1 4"),
        ("a not in (select max(x) {q} group by k) or id = 5", "2 5 6"),
        ("a in (select max(x) {q}) or id = 5", "5"),
        ("a in (select max(x) {q} group by k) or id = 5", "1 4 5"),
        ("a in (select max(x) {q} where q.k = p.k) is null", "3 5 6 7"),
        ("a not in (select max(x) {q} where q.k = p.k)", "2 4"),
        ("a in (select max(x) {q} where q.k = p.k) or a not in (select min(x) {q} where q.k = 1)", "1 2 6"),
        ("not exists (select max(x) {q} where q.k = p.k) or id = 7", "7"),
        ("exists (select max(x) {q} where q.k = p.k) and id > 5", "6 7"),
        ("a in (select count(*) {q} where q.k = p.k) or id = 5", "2 4 5"),
    ] {
        let condition = condition.replace("{q}", "from '{}/q.csv' q");
        let query = rig.sql(&format!("select id from '{{}}/p.csv' p where {condition} order by id"));
        assert_eq!(rig.rows(&query).await.join(" "), ids, "{condition}");
    }
}

/// The rows are those that `DuckDB` gives.
#[tokio::test]
async fn whether_a_value_is_in_rows_may_be_a_column() {
    let rig = two_tables();
    for (column, values) in [
        ("a in (select x {q})", "true null null true null null null"),
        ("a not in (select x {q} where x is not null)", "false true null false null true null"),
        ("a in (select x {q} where q.k = p.k)", "true null null false null false false"),
        ("a + 1 in (select x + 1 {q} where q.k = p.k)", "true null null false null false false"),
        ("a in (select max(x) {q} where q.k = p.k)", "true false null false null null null"),
        ("exists (select 1 {q} where q.k = p.k)", "true true true true true false false"),
        ("not exists (select 1 {q} where q.x = p.a)", "false true true false true true true"),
        (
            "case when a in (select x {q}) then 'in' when k in (select k {q}) then 'k' end",
            "in k k in k null null",
        ),
    ] {
        let column = column.replace("{q}", "from '{}/q.csv' q");
        let query = rig.sql(&format!("select id, {column} as value from '{{}}/p.csv' p order by id"));
        let rows = rig.rows(&query).await;
        let found: Vec<_> = rows.iter().map(|row| row.split_once('|').unwrap().1).collect();
        assert_eq!(found.join(" "), values, "{column}");
    }
}
