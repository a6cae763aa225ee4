//! Files that are written.

use std::fs;

use cardoon_engine::Output;
use cardoon_errors::Code;

use crate::support::{Rig, lines};

#[tokio::test]
async fn what_is_written_is_read_back() {
    let rig = Rig::new();
    rig.write("a.csv", "x,y,z\n1,\"a \"\"b\"\"\",2.5\n2,,\n");
    for name in ["b.csv", "b.jsonl", "b.parquet"] {
        let output = Output::named(rig.path(name)).unwrap();
        assert_eq!(rig.engine.write(&rig.scan("a.csv"), &output).await.unwrap().rows, 2);
        assert_eq!(rig.rows(&rig.scan(name)).await, ["1|a \"b\"|2.5", "2|null|null"], "{name}");
    }
    let output = Output::named(rig.path("c.json")).unwrap();
    rig.engine.write(&rig.scan("a.csv"), &output).await.unwrap();
    let json = fs::read_to_string(rig.path("c.json")).unwrap();
    assert_eq!(json, r#"[{"x":1,"y":"a \"b\"","z":2.5},{"x":2,"y":null,"z":null}]"#);
}

#[tokio::test]
async fn a_query_that_fails_leaves_no_file_and_the_old_one_as_it_was() {
    let rig = Rig::new();
    rig.write("a.csv", format!("x,y\n{}1\n", lines(0..100_000, |n| format!("{n},1"))));
    rig.write("b.csv", "old\n");
    let output = Output::named(rig.path("b.csv")).unwrap();
    let error = rig.engine.write(&rig.scan("a.csv"), &output).await.unwrap_err();
    assert_eq!(error.code(), Code::BadRow);
    assert_eq!(rig.listing(), ["a.csv", "b.csv"]);
    assert_eq!(fs::read_to_string(rig.path("b.csv")).unwrap(), "old\n");
}

#[tokio::test]
async fn names_that_cannot_be_written_are_refused() {
    let rig = Rig::new();
    rig.write("a.csv", "x\n1\n");
    assert_eq!(Output::named("b.txt").unwrap_err().code(), Code::NoFormat);
    fs::create_dir(rig.path("c.csv")).unwrap();
    let taken = Output::named(rig.path("c.csv")).unwrap();
    assert_eq!(rig.engine.write(&rig.scan("a.csv"), &taken).await.unwrap_err().code(), Code::OutputTaken);
    let nowhere = Output::named(rig.path("none/d.csv")).unwrap();
    assert_eq!(rig.engine.write(&rig.scan("a.csv"), &nowhere).await.unwrap_err().code(), Code::OutputFailed);
}
