//! Functions of Python, with children that only say what the engine has to understand.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cardoon_engine::Python;
use cardoon_errors::Code;
use cardoon_frame::{Expr, Frame, PythonCall, PythonFunction, col};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::ipc::writer::StreamWriter;

use crate::support::{Rig, lines};

/// A child that makes the same rows of all rows. It has no package, and needs none.
const SAME: &str = r#"
import json, os, struct, sys
requests, answers = os.fdopen(0, "rb"), os.fdopen(1, "wb")
def say(kind, body):
    answers.write(struct.pack("<cQ", kind, len(body)) + body)
    answers.flush()
say(b"H", json.dumps({"python": "3.1"}).encode())
while head := requests.read(9):
    kind, length = struct.unpack("<cQ", head)
    body = requests.read(length)
    if kind == b"C":
        say(b"R", body[8:])
"#;

fn rig(script: &str) -> Rig {
    let words = ["-c", script].map(Into::into).into();
    let python = Python { program: PathBuf::from("python3"), words, children: 3, chunk_bytes: 1000 };
    let rig = Rig::with(|settings| settings.python = Some(python));
    rig.write("a.csv", format!("n,k\n{}", lines(0..20_000, |n| format!("{n},{}", n * 7919 % 100))));
    rig
}

fn function(columns: &[&str]) -> PythonFunction {
    let fields: Vec<Field> = columns.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect();
    let mut stream = StreamWriter::try_new(Vec::new(), &Schema::new(fields)).unwrap();
    stream.finish().unwrap();
    PythonFunction {
        name: "same".into(),
        call: String::new(),
        python: "3.1".into(),
        columns: STANDARD.encode(stream.into_inner().unwrap()),
    }
}

fn step(input: Frame, columns: &[&str], keys: &[&str]) -> Frame {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    Frame::Python { input: Box::new(input), function: function(columns), keys, order: Vec::new() }
}

#[tokio::test]
async fn what_many_children_make_comes_in_the_order_of_the_files() {
    let rig = rig(SAME);
    let frame = step(rig.scan("a.csv"), &["n", "k"], &[]);
    assert_eq!(rig.rows(&frame).await, rig.rows(&rig.scan("a.csv")).await);
}

#[tokio::test]
async fn steps_do_not_wait_for_each_others_children() {
    let rig = rig(SAME);
    let steps = (0..5).fold(rig.scan("a.csv"), |input, _| step(input, &["n", "k"], &[]));
    assert_eq!(rig.rows(&steps).await.len(), 20_000);
}

#[tokio::test]
async fn rows_of_a_group_stand_together_as_the_files_have_them() {
    let rig = rig(SAME);
    let frame = step(rig.scan("a.csv"), &["n", "k", "place"], &["k"]).select(["n", "k"]);
    let mut expected: Vec<(i64, i64)> = (0..20_000).map(|n| (n * 7919 % 100, n)).collect();
    expected.sort_unstable();
    let expected: Vec<String> = expected.into_iter().map(|(k, n)| format!("{n}|{k}")).collect();
    assert_eq!(rig.rows(&frame).await, expected);
}

#[tokio::test]
async fn a_function_stands_wherever_an_expression_does() {
    let rig = rig(SAME);
    let call = |argument| -> Expr {
        Expr::Python(Box::new(PythonCall { function: function(&["x"]), arguments: vec![argument] }))
    };
    let frame = rig
        .scan("a.csv")
        .filter(call(col("n")).less(3))
        .assign([("x", call(call(col("n")).binary(cardoon_frame::Binary::Add, 1)))]);
    assert_eq!(rig.rows(&frame).await, ["0|0|1", "1|19|2", "2|38|3"]);
    let sums = rig.scan("a.csv").group_by([("g", call(col("k")))]).aggregate([("s", call(col("n")).sum())]);
    let plain = rig.scan("a.csv").group_by([("g", col("k"))]).aggregate([("s", col("n").sum())]);
    assert_eq!(rig.sorted(&sums).await, rig.sorted(&plain).await);
}

#[tokio::test]
async fn without_an_interpreter_there_are_no_functions() {
    let rig = Rig::new();
    rig.write("a.csv", "n\n1\n");
    let error = rig.error(&step(rig.scan("a.csv"), &["n"], &[])).await;
    assert_eq!(error.code(), Code::NoPython);
}

#[tokio::test]
async fn an_interpreter_that_cannot_work_is_told_of_with_its_last_words() {
    let rig = rig("import sys; sys.exit('no such package')");
    let error = rig.error(&step(rig.scan("a.csv"), &["n", "k"], &[])).await;
    assert_eq!(error.code(), Code::NoPython);
    assert!(error.findings().contains(&"no such package".to_owned()), "{error:?}");
}

#[tokio::test]
async fn another_version_of_python_is_not_given_a_function() {
    let rig = rig(&SAME.replace("3.1", "3.2"));
    let error = rig.error(&step(rig.scan("a.csv"), &["n", "k"], &[])).await;
    assert_eq!(error.code(), Code::OtherPython);
    assert_eq!(error.findings(), ["here 3.2, where it was made 3.1"]);
}

#[tokio::test]
async fn a_child_that_talks_nonsense_is_as_good_as_dead() {
    let rig = rig(&SAME.replace("say(b\"R\"", "say(b\"?\""));
    let error = rig.error(&step(rig.scan("a.csv"), &["n", "k"], &[])).await;
    assert_eq!(error.code(), Code::ChildDied);
}
