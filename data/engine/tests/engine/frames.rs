//! Each step of a frame.

use cardoon_frame::{
    Aggregate, Binary, Expr, Frame, Function, JoinKind, Named, SortKey, Window, WindowFunction, col,
    count_rows, lit,
};

use crate::support::{Rig, lines};

fn rig() -> Rig {
    let rig = Rig::new();
    rig.write("logs.csv", "user_id,action,seconds\n1,login,5\n2,view,-7\n1,view,3\n3,login,\n");
    rig.write("users.csv", "user_id,action,country\n1,a,DE\n2,b,CN\n4,c,FR\n");
    rig
}

fn binary(op: Binary, left: Expr, right: impl Into<Expr>) -> Expr {
    left.binary(op, right)
}

#[tokio::test]
async fn rows_keep_the_order_of_their_files() {
    let rig = Rig::new();
    rig.write("a.csv", format!("n\n{}", lines(0..100_000, |n| n)));
    rig.write("b.csv", format!("n\n{}", lines(100_000..200_000, |n| n)));
    let rows = rig.rows(&rig.scan("*.csv").filter(col("n").greater(9))).await;
    assert_eq!(rows, (10..200_000).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn columns_are_assigned_all_at_once() {
    let rig = rig();
    let frame = rig
        .scan("logs.csv")
        .assign([("seconds", col("user_id")), ("old", col("seconds"))])
        .select(["user_id", "seconds", "old"])
        .limit(2);
    assert_eq!(rig.rows(&frame).await, ["1|1|5", "2|2|-7"]);
}

#[tokio::test]
async fn whole_numbers_are_divided_as_in_python() {
    let rig = rig();
    let seconds = || col("seconds");
    let frame = rig.scan("logs.csv").select([
        ("true", binary(Binary::Divide, seconds(), 2)),
        ("floor", binary(Binary::FloorDivide, seconds(), 2)),
        ("rest", binary(Binary::Modulo, seconds(), 3)),
        ("zero", binary(Binary::FloorDivide, seconds(), 0)),
    ]);
    assert_eq!(
        rig.rows(&frame).await,
        ["2.5|2|2|null", "-3.5|-4|2|null", "1.5|1|0|null", "null|null|null|null"]
    );
}

#[tokio::test]
async fn groups_leave_out_null_keys_unless_they_are_wanted() {
    let rig = rig();
    let by_seconds = rig.scan("logs.csv").group_by(["seconds"]).aggregate([("n", count_rows())]);
    assert_eq!(rig.sorted(&by_seconds).await, ["-7|1", "3|1", "5|1"]);
    let Frame::Aggregate { input, keys, aggregates, .. } = by_seconds else { unreachable!() };
    let kept = Frame::Aggregate { input, keys, aggregates, keep_nulls: true };
    assert_eq!(rig.sorted(&kept).await, ["-7|1", "3|1", "5|1", "null|1"]);
}

#[tokio::test]
async fn aggregates_are_those_of_pandas() {
    let rig = rig();
    let of = |aggregate: fn(Expr) -> Aggregate| Expr::from(aggregate(col("seconds")));
    let frame = rig.scan("logs.csv").group_by::<&str>([]).aggregate([
        ("rows", count_rows()),
        ("count", of(Aggregate::Count)),
        ("distinct", col("user_id").count_distinct()),
        ("sum", of(Aggregate::Sum)),
        ("min", of(Aggregate::Min)),
        ("max", of(Aggregate::Max)),
        ("median", of(Aggregate::Median)),
        ("quarter", Aggregate::Quantile { operand: col("seconds"), quantile: 0.25 }.into()),
    ]);
    assert_eq!(rig.rows(&frame).await, ["4|3|3|1|-7|5|3.0|-2.0"]);
    let mean = rig.scan("logs.csv").group_by(["user_id"]).aggregate([("mean", col("seconds").mean())]);
    assert_eq!(rig.sorted(&mean).await, ["1|4.0", "2|-7.0", "3|null"]);
}

#[tokio::test]
async fn joins_have_the_rows_and_the_names_of_pandas() {
    let rig = rig();
    let join = |how| rig.scan("logs.csv").join(rig.scan("users.csv"), ["user_id"], how);
    let names: Vec<String> = rig
        .engine
        .schema(&join(JoinKind::Outer))
        .await
        .unwrap()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["user_id", "action_x", "seconds", "action_y", "country"]);
    assert_eq!(
        rig.sorted(&join(JoinKind::Inner)).await,
        ["1|login|5|a|DE", "1|view|3|a|DE", "2|view|-7|b|CN"]
    );
    assert!(rig.rows(&join(JoinKind::Left)).await.contains(&"3|login|null|null|null".to_owned()));
    assert!(rig.rows(&join(JoinKind::Right)).await.contains(&"4|null|null|c|FR".to_owned()));
    assert_eq!(rig.rows(&join(JoinKind::Outer)).await.len(), 5);
    assert_eq!(rig.rows(&join(JoinKind::Semi)).await.len(), 3);
    assert_eq!(rig.rows(&join(JoinKind::Anti)).await, ["3|login|null"]);
}

#[tokio::test]
async fn keys_that_are_missing_on_both_sides_are_equal_as_in_pandas() {
    let rig = Rig::new();
    rig.write("a.csv", "k,x\n1,1\n,2\n");
    rig.write("b.csv", "k,y\n1,3\n,4\n");
    let frame = rig.scan("a.csv").join(rig.scan("b.csv"), ["k"], JoinKind::Outer);
    assert_eq!(rig.sorted(&frame).await, ["1|1|3", "null|2|4"]);
}

#[tokio::test]
async fn rows_are_sorted_with_nulls_last_and_cut() {
    let rig = rig();
    let by = [col("seconds").descending(), col("user_id").ascending()];
    let frame = rig.scan("logs.csv").sort(by).select(["seconds"]);
    assert_eq!(rig.rows(&frame).await, ["5", "3", "-7", "null"]);
    let first = Frame::Sort {
        input: Box::new(rig.scan("logs.csv").select(["seconds"])),
        by: vec![SortKey { by: col("seconds"), descending: false, nulls_first: true }],
    };
    assert_eq!(rig.rows(&first.limit(2)).await, ["null", "-7"]);
}

#[tokio::test]
async fn duplicates_go_by_all_columns_or_by_some() {
    let rig = rig();
    let scan = || rig.scan("logs.csv");
    assert_eq!(rig.sorted(&scan().select(["action"]).distinct()).await, ["login", "view"]);
    let on = Frame::Distinct { input: Box::new(scan()), on: vec!["user_id".into()] };
    assert_eq!(rig.rows(&on).await.len(), 3);
}

#[tokio::test]
async fn frames_are_put_one_after_the_other() {
    let rig = rig();
    let frame = Frame::Concat { inputs: vec![rig.scan("logs.csv"), rig.scan("logs.csv")] };
    assert_eq!(rig.rows(&frame).await.len(), 8);
}

#[tokio::test]
async fn windows_look_at_the_rows_beside() {
    let rig = rig();
    let over = |function| -> Expr {
        Window { function, partition_by: vec![col("user_id")], order_by: vec![col("seconds").ascending()] }
            .into()
    };
    let frame = rig
        .scan("logs.csv")
        .assign::<Named>([
            ("place", over(WindowFunction::RowNumber)).into(),
            ("before", over(WindowFunction::Shift { operand: col("seconds"), rows: 1 })).into(),
            ("so_far", over(WindowFunction::Aggregate(Aggregate::Sum(col("seconds"))))).into(),
        ])
        .filter(col("user_id").equal(1))
        .select(["seconds", "place", "before", "so_far"])
        .sort([col("seconds").ascending()]);
    assert_eq!(rig.rows(&frame).await, ["3|1|null|3", "5|2|3|8"]);
}

#[tokio::test]
async fn functions_are_those_of_python() {
    let rig = Rig::new();
    rig.write("a.csv", "text,time\n\" Müller \",2026-11-28T23:59:07\n");
    let text = || Expr::call(Function::Strip, [col("text")]);
    let time = |function| Expr::call(function, [col("time")]);
    let frame = rig.scan("a.csv").select([
        ("length", Expr::call(Function::Length, [text()])),
        ("upper", Expr::call(Function::Upper, [text()])),
        ("slice", Expr::call(Function::Slice, [text(), lit(1), lit(2)])),
        ("contains", Expr::call(Function::Contains, [text(), lit("ll")])),
        ("matches", Expr::call(Function::Matches, [text(), lit("^M.*r$")])),
        ("hour", time(Function::Hour)),
        ("weekday", time(Function::DayOfWeek)),
        ("day", time(Function::ToDate)),
    ]);
    assert_eq!(rig.rows(&frame).await, ["6|MÜLLER|ül|true|true|23|5|2026-11-28"]);
}
