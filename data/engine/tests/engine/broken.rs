//! Files that are not what they should be are named, alone and among others.

use std::fs;
use std::io::Write as _;

use cardoon_engine::Output;
use cardoon_errors::{Code, Error};

use crate::support::{Rig, lines};

/// `b.parquet` between `a.parquet` and `c.parquet`, each of a thousand rows.
async fn three_of_parquet() -> Rig {
    let rig = Rig::new();
    rig.write("rows.csv", format!("x,y\n{}", lines(0..1000, |n| format!("{n},{:x}", n * 7919))));
    for name in ["a.parquet", "b.parquet", "c.parquet"] {
        let output = Output::named(rig.path(name)).unwrap();
        rig.engine.write(&rig.scan("rows.csv"), &output).await.unwrap();
    }
    rig
}

fn assert_broken(error: &Error, name: &str) {
    assert_eq!(error.code(), Code::BrokenFile, "{error:?}");
    assert!(error.message().contains(name) && !error.findings().is_empty(), "{error:?}");
}

#[tokio::test]
async fn a_parquet_file_that_is_broken_is_named() {
    let rig = three_of_parquet().await;
    let whole = fs::read(rig.path("b.parquet")).unwrap();
    let mut page = whole.clone();
    page[40..200].fill(0x5a);
    let mut magic = whole.clone();
    magic[whole.len() - 4..].copy_from_slice(b"PAR9");
    let mut footer = whole.clone();
    footer[whole.len() - 60..whole.len() - 20].fill(0xff);
    let mut length = whole.clone();
    length[whole.len() - 8..whole.len() - 4].copy_from_slice(&i32::MAX.to_le_bytes());
    for (fault, bytes) in [
        ("empty", &b""[..]),
        ("short", b"PAR1"),
        ("text", b"x,y\n1,2\n3,4\n5,6\n"),
        ("cut", &whole[..whole.len() / 2]),
        ("magic", &magic),
        ("footer", &footer),
        ("length", &length),
        ("page", &page),
    ] {
        rig.write("b.parquet", bytes);
        for pattern in ["b.parquet", "*.parquet"] {
            let error = rig.error(&rig.sql(&format!("select sum(x), max(y) from '{{}}/{pattern}'"))).await;
            assert_broken(&error, &rig.name("b.parquet"));
            assert!(!error.message().contains("//"), "{fault}: {error:?}");
        }
    }
    rig.write("b.parquet", whole);
    assert_eq!(rig.rows(&rig.sql("select count(y) from '{}/*.parquet'")).await, ["3000"]);
    fs::create_dir(rig.path("within")).unwrap();
    assert_eq!(rig.rows(&rig.sql("select count(y) from '{}/within/../b.parquet'")).await, ["1000"]);
}

#[tokio::test]
async fn a_line_that_is_no_json_is_named() {
    let rig = Rig::new();
    rig.write("a.jsonl", "{\"x\":1}\n");
    for (line, text) in [(3, "{\"x\":1}\n\n{\"x\":\n{\"x\":2}\n"), (1, "5\n"), (2, "{\"x\":1}\n\u{0}\n")] {
        rig.write("b.jsonl", text);
        for pattern in ["b.jsonl", "*.jsonl"] {
            let error = rig.error(&rig.scan(pattern)).await;
            assert_broken(&error, &rig.name("b.jsonl"));
            // Of many, only the first file is looked at before all are read.
            assert!(
                line == 0 || pattern == "*.jsonl" || error.message().contains(&format!("line {line}:")),
                "{error:?}"
            );
        }
    }
    rig.write("b.jsonl", "{\"x\":1}\n{\"x\":2");
    assert_broken(&rig.error(&rig.scan("*.jsonl")).await, &rig.name("b.jsonl"));
    rig.write("b.jsonl", "");
    assert_eq!(rig.rows(&rig.scan("*.jsonl")).await, ["1"], "a file of no lines has no rows");
}

#[tokio::test]
async fn an_array_without_its_end_is_broken() {
    let rig = Rig::new();
    for text in ["[{\"x\":1},{\"x\":2},\n", "[{\"x\":1},{\"x\":2}", "[{\"x\":1},{\"x\""] {
        rig.write("b.json", text);
        assert_broken(&rig.error(&rig.scan("b.json")).await, &rig.name("b.json"));
    }
    rig.write("b.json", "[{\"x\":1},{\"x\":2}]\n\n");
    assert_eq!(rig.rows(&rig.scan("b.json")).await, ["1", "2"]);
}

#[tokio::test]
async fn a_compressed_file_that_is_broken_is_named() {
    let rig = Rig::new();
    let rows = lines(0..200_000, |n| format!("{n},{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let json = lines(0..100_000, |n| format!("{{\"x\":{}}}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    for (name, text) in [("b.csv", format!("x,y\n{rows}")), ("b.jsonl", json)] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
        for (end, whole) in [("gz", gzip.finish().unwrap()), ("zst", zstd)] {
            let name = format!("{name}.{end}");
            let mut changed = whole.clone();
            changed[whole.len() / 2..][..64].fill(0xa5);
            for bytes in [&whole[..whole.len() / 2], b"no such thing"] {
                rig.write(&name, bytes);
                let error = rig.error(&rig.sql(&format!("select min(x), count(*) from '{{}}/{name}'"))).await;
                assert_eq!(error.code(), Code::FileUnreadable, "{name}: {error:?}");
                assert!(error.message().contains(&rig.name(&name)), "{error:?}");
            }
            // Here rows may come out that are none, before that is found out.
            rig.write(&name, &changed);
            let error = rig.error(&rig.sql(&format!("select min(x), count(*) from '{{}}/{name}'"))).await;
            assert!(error.message().contains(&rig.name(&name)), "{error:?}");
            rig.write(&name, whole);
            let count = rig.rows(&rig.sql(&format!("select count(*) from '{{}}/{name}'"))).await;
            assert!(matches!(count[0].as_str(), "200000" | "100000"), "{name}: {count:?}");
        }
    }
}

#[tokio::test]
async fn an_empty_csv_file_among_others_is_named() {
    let rig = Rig::new();
    rig.write("a.csv", "x\n1\n");
    rig.write("b.csv", "");
    rig.write("c.csv", "x\n2\n");
    let error = rig.error(&rig.scan("*.csv")).await;
    assert_eq!(error.code(), Code::EmptyFile);
    assert!(error.message().contains(&rig.name("b.csv")), "{error:?}");
    rig.write("b.csv", "x\n");
    assert_eq!(rig.rows(&rig.sql("select sum(x) from '{}/*.csv'")).await, ["3"]);
}

#[tokio::test]
async fn nested_columns_are_no_csv() {
    let rig = Rig::new();
    rig.write("a.jsonl", "{\"x\":1,\"place\":{\"city\":\"Basel\"}}\n");
    let nested = Output::named(rig.path("b.csv")).unwrap();
    let error = rig.engine.write(&rig.scan("a.jsonl"), &nested).await.unwrap_err();
    assert_eq!(error.code(), Code::NestedInCsv);
    assert!(error.message().contains("\"place\""), "{error:?}");
    assert_eq!(rig.listing(), ["a.jsonl"]);
    for name in ["b.parquet", "b.jsonl"] {
        let output = Output::named(rig.path(name)).unwrap();
        assert_eq!(rig.engine.write(&rig.scan("a.jsonl"), &output).await.unwrap().rows, 1);
    }
    let flat = rig.sql("select x, place['city'] as city from '{}/a.jsonl'");
    assert_eq!(rig.engine.write(&flat, &nested).await.unwrap().rows, 1);
}
