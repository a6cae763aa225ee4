//! From paths to rows.

use std::io::Write as _;

use cardoon_errors::Code;
use cardoon_frame::{BadRows, Frame, Scan, count_rows};

use crate::support::{Rig, lines};

#[tokio::test]
async fn quoted_newlines_are_read_right_by_several_threads() {
    let rig = Rig::new();
    let notes = lines(0..200_000, |id| format!("{id},\"a \"\"note\"\",\nof two lines\""));
    rig.write("notes.csv", format!("id,note\n{notes}"));
    let frame = rig.sql("select count(*), sum(id), min(note), max(note) from '{}/notes.csv'");
    let note = "a \"note\",\nof two lines";
    assert_eq!(rig.rows(&frame).await, [format!("200000|19999900000|{note}|{note}")]);
}

#[tokio::test]
async fn compressed_files_are_read_as_they_are() {
    let rig = Rig::new();
    rig.write("a.csv", "x\n1\n2\n");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"x\n3\n").unwrap();
    rig.write("b.csv.gz", packed.finish().unwrap());
    rig.write("c.csv.zst", zstd::encode_all(&b"x\n4\n"[..], 1).unwrap());
    assert_eq!(rig.sorted(&rig.scan("*.csv*")).await, ["1", "2", "3", "4"]);
}

#[tokio::test]
async fn json_lines_and_parquet_are_tables_too() {
    let rig = Rig::new();
    rig.write("a.jsonl", "{\"x\":1,\"y\":\"a\"}\n{\"x\":2}\n");
    assert_eq!(rig.rows(&rig.scan("a.jsonl")).await, ["1|a", "2|null"]);
    let parquet = cardoon_engine::Output::named(rig.path("b.parquet")).unwrap();
    rig.engine.write(&rig.scan("a.jsonl"), &parquet).await.unwrap();
    assert_eq!(rig.rows(&rig.sql("select y, x from '{}/b.parquet'")).await, ["a|1", "null|2"]);
}

#[tokio::test]
async fn json_has_the_columns_and_the_numbers_of_all_its_rows() {
    let rig = Rig::new();
    rig.write("a.jsonl", format!("{}{{\"x\":1.5,\"late\":\"y\"}}\n", "{\"x\":1}\n".repeat(20_000)));
    assert_eq!(rig.rows(&rig.sql("select x, late from '{}/a.jsonl' offset 20000")).await, ["1.5|y"]);
    rig.write("b.json", "\n[{\"x\":1},{\"x\":2}]");
    assert_eq!(rig.rows(&rig.scan("b.json")).await, ["1", "2"]);
}

#[tokio::test]
async fn a_name_with_brackets_is_a_name() {
    let rig = Rig::new();
    rig.write("d[1].jsonl", "{\"x\":1}\n");
    rig.write("d1.jsonl", "{\"x\":77}\n");
    assert_eq!(rig.rows(&rig.scan("d[1].jsonl")).await, ["1"]);
    assert_eq!(rig.sorted(&rig.scan("*.jsonl")).await, ["1", "77"]);
}

#[tokio::test]
async fn lines_that_end_in_carriage_returns_alone_are_refused() {
    let rig = Rig::new();
    rig.write("a.csv", "x,y\r1,2\r3,4\r");
    let error = rig.error(&rig.scan("a.csv")).await;
    assert!(error.code() == Code::BadRow && error.message().contains("carriage return"), "{error:?}");
}

#[tokio::test]
async fn rows_that_cannot_be_read_end_the_query_or_are_counted() {
    let rig = Rig::new();
    rig.write("a.csv", "x,y\n1,2\n3\n4,5\n");
    let error = rig.error(&rig.scan("a.csv")).await;
    assert_eq!(error.code(), Code::BadRow);
    assert!(error.message().contains("a.csv, line 3"), "{error}");
    let mut scan = Scan::new([rig.name("a.csv")]);
    scan.csv.bad_rows = BadRows::Skip;
    assert_eq!(rig.rows(&Frame::Scan(scan)).await, ["1|2", "4|5"]);
    assert_eq!(rig.engine.progress().bad_rows, 1);
}

#[tokio::test]
async fn files_of_different_columns_are_no_table() {
    let rig = Rig::new();
    rig.write("a.csv", "x,y\n1,2\n");
    rig.write("b.csv", "x,z\n1,2\n");
    let error = rig.error(&rig.scan("*.csv")).await;
    assert_eq!(error.code(), Code::ColumnsDiffer);
    assert!(error.message().contains("a.csv") && error.message().contains("b.csv"), "{error}");
}

#[tokio::test]
async fn what_is_no_file_of_rows_has_a_code_of_its_own() {
    let rig = Rig::new();
    rig.write("empty.csv", "");
    rig.write("latin.csv", b"x\nM\xfcller\n");
    rig.write("open.csv", "x\n\"abc\n1\n");
    rig.write("notes.md", "x\n1\n");
    for (name, code) in [
        ("empty.csv", Code::EmptyFile),
        ("latin.csv", Code::NotUtf8),
        ("open.csv", Code::BadRow),
        ("notes.md", Code::NoFormat),
        ("none.csv", Code::NoFiles),
    ] {
        let error = rig.error(&rig.scan(name)).await;
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.message().contains(name), "{error:?}");
    }
}

#[tokio::test]
async fn a_header_alone_is_a_table_without_rows() {
    let rig = Rig::new();
    rig.write("a.csv", "x,y\n");
    assert!(rig.rows(&rig.scan("a.csv")).await.is_empty());
    let count = rig.scan("a.csv").group_by::<&str>([]).aggregate([("n", count_rows())]);
    assert_eq!(rig.rows(&count).await, ["0"]);
}

#[cfg(unix)]
#[tokio::test]
async fn nothing_outside_of_the_roots_is_read() {
    let other = Rig::new();
    other.write("secret.csv", "x\n1\n");
    let inside = tempfile::tempdir().unwrap();
    let rig = Rig::with(|settings| settings.roots = vec![inside.path().to_owned()]);
    let query = Frame::sql(format!("select * from '{}'", other.name("secret.csv")));
    assert_eq!(rig.error(&query).await.code(), Code::OutsideRoots);
    assert_eq!(rig.error(&other.scan("secret.csv")).await.code(), Code::OutsideRoots);
    // Not even what is there and what is not is told, nor is it searched.
    for name in ["secre.csv", "*.csv", "**/*.csv", "none/at/all.csv"] {
        let error = rig.error(&other.scan(name)).await;
        assert_eq!(error.code(), Code::OutsideRoots, "{error:?}");
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}
