//! What columns hold, and what happens when a later row disagrees with the samples.

use cardoon_engine::Output;
use cardoon_errors::Code;
use cardoon_frame::{Frame, Kind, Scan, col, count_rows};
use datafusion::arrow::datatypes::DataType;

use crate::support::{Rig, lines};

/// Whole numbers, and far behind all samples a text.
fn late_text() -> String {
    let rows = |range| lines(range, |row| format!("{},{}", row % 1000, row % 7));
    format!("user_id,n\n{}guest,1\n{}", rows(0..250_001), rows(250_001..400_000))
}

#[tokio::test]
async fn a_column_that_turns_out_to_hold_text_is_widened() {
    let rig = Rig::new();
    rig.write("a.csv", late_text());
    let scan = rig.scan("a.csv");
    let kind = rig.engine.schema(&scan).await.unwrap();
    assert_eq!(
        kind.field(0).data_type(),
        &DataType::Int64,
        "no sample has the text, or this test shows nothing"
    );
    let frame = scan.group_by(["user_id"]).aggregate([("n", count_rows())]);
    let rows = rig.rows(&frame).await;
    assert_eq!(rows.len(), 1001);
    assert!(rows.contains(&"guest|1".to_owned()) && rows.contains(&"999|400".to_owned()));
}

#[tokio::test]
async fn a_query_in_sql_widens_as_well() {
    let rig = Rig::new();
    rig.write("a.csv", late_text());
    let query = "select count(*) from '{}/a.csv' where cast(user_id as varchar) = 'guest'";
    assert_eq!(rig.rows(&rig.sql(query)).await, ["1"]);
    assert_eq!(rig.engine.progress().restarts, 1);
}

#[tokio::test]
async fn a_text_is_not_compared_with_numbers() {
    let rig = Rig::new();
    rig.write("a.csv", "user_id\n1\n");
    let error = rig.error(&rig.sql("select * from '{}/a.csv' where user_id = 'guest'")).await;
    assert_eq!(error.code(), Code::BadQuery, "{error:?}");
    assert!(error.next_step().unwrap().contains("--type"), "{error:?}");
}

#[tokio::test]
async fn rows_that_were_given_out_cannot_be_taken_back() {
    let rig = Rig::new();
    rig.write("a.csv", late_text());
    let mut rows = rig.engine.run(&rig.scan("a.csv")).await.unwrap();
    let error = loop {
        match rows.next().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the text was read as a number"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::ValueDisagrees);
    assert!(error.message().contains("line 250003") && error.message().contains("guest"), "{error}");
    assert!(error.next_step().unwrap().contains("user_id=text"), "{error:?}");
}

#[tokio::test]
async fn a_declared_kind_is_not_inferred() {
    let rig = Rig::new();
    rig.write("a.csv", "zip,n\n01067,1\n");
    let mut scan = Scan::new([rig.name("a.csv")]);
    scan.csv.kinds.insert("zip".into(), Kind::Text);
    assert_eq!(rig.rows(&Frame::Scan(scan.clone())).await, ["01067|1"]);
    rig.write("b.csv", "zip,n\nD-01067,1\n");
    let mut wrong = Scan::new([rig.name("b.csv")]);
    wrong.csv.kinds.insert("zip".into(), Kind::Integer);
    assert_eq!(rig.error(&Frame::Scan(wrong)).await.code(), Code::ValueDisagrees, "it was declared");
    scan.csv.kinds.insert("zap".into(), Kind::Text);
    let error = rig.error(&Frame::Scan(scan)).await;
    assert_eq!(error.code(), Code::NoSuchColumn);
    assert!(error.next_step().unwrap().contains("zip"));
}

#[tokio::test]
async fn a_column_that_is_not_there_is_named_with_the_nearest_that_is() {
    let rig = Rig::new();
    rig.write("a.csv", "user_id,n\n1,2\n");
    let frames = [
        rig.scan("a.csv").filter(col("user").greater(1)),
        rig.sql("select user from '{}/a.csv' where user > 1"),
    ];
    for frame in frames {
        let error = rig.error(&frame).await;
        assert_eq!(error.code(), Code::NoSuchColumn, "{error:?}");
        assert!(error.next_step().unwrap().contains("user_id"), "{error:?}");
    }
}

#[tokio::test]
async fn a_file_that_is_written_is_begun_again_as_well() {
    let rig = Rig::new();
    rig.write("a.csv", late_text());
    let output = Output::named(rig.path("b.csv")).unwrap();
    assert_eq!(rig.engine.write(&rig.scan("a.csv"), &output).await.unwrap().rows, 400_001);
}

#[tokio::test]
async fn queries_that_meet_the_same_late_value_widen_it_all() {
    let rig = Rig::new();
    rig.write("a.csv", late_text());
    let frame = rig.scan("a.csv").group_by(["user_id"]).aggregate([("n", count_rows())]);
    let counts = futures_util::future::join_all((0..4).map(|_| rig.rows(&frame))).await;
    assert!(counts.iter().all(|rows| rows.len() == 1001));
}

#[tokio::test]
async fn whole_numbers_beyond_64_bits_are_text_wherever_they_stand() {
    let rig = Rig::new();
    for text in ["x\n1.5\n9223372036854775808\n", "x\n9223372036854775808\n1.5\n"] {
        rig.write("a.csv", text);
        let schema = rig.engine.schema(&rig.scan("a.csv")).await.unwrap();
        assert!(schema.field(0).data_type().is_string(), "{text}: {schema:?}");
    }
}
