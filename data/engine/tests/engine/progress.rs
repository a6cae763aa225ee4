//! How far a query is, and whose progress that is.

use cardoon_engine::{Output, Progress};
use cardoon_frame::Frame;

use crate::support::{Rig, lines};

/// Names and rows of the stages.
fn stages(progress: &Progress) -> Vec<(&str, u64)> {
    progress.stages.iter().map(|stage| (stage.name.as_str(), stage.rows)).collect()
}

fn numbers(count: u64) -> String {
    format!("k,n\n{}", lines(0..count, |number| format!("{},{number}", number % 10)))
}

#[tokio::test]
async fn each_stage_tells_the_rows_that_it_has_given_out() {
    let rig = Rig::new();
    rig.write("a.csv", numbers(1000));
    rig.write("b.csv", "k,name\n1,one\n2,two\n");
    let query =
        "select name, sum(n) as s from '{}/a.csv' a join '{}/b.csv' b on a.k = b.k group by name order by s";
    assert_eq!(rig.rows(&rig.sql(query)).await.len(), 2);
    let progress = rig.engine.progress();
    assert_eq!((progress.rows, progress.all_bytes), (1002, Some(progress.bytes)));
    let mut stages = stages(&progress);
    stages[..2].sort_unstable();
    assert_eq!(stages, [("read", 2), ("read", 1000), ("join", 200), ("group", 2), ("sort", 2)]);
}

#[tokio::test]
async fn all_kinds_of_files_are_counted_with_their_bytes() {
    let rig = Rig::new();
    rig.write("a.csv", numbers(5000));
    for name in ["a.parquet", "a.jsonl"] {
        rig.engine.write(&rig.scan("a.csv"), &Output::named(rig.path(name)).unwrap()).await.unwrap();
        let frame = rig.sql(&format!("select sum(n) as s from '{{}}/{name}' where n >= 0"));
        assert_eq!(rig.rows(&frame).await, ["12497500"]);
        let bytes = std::fs::metadata(rig.path(name)).unwrap().len();
        let progress = rig.engine.progress();
        assert_eq!((progress.rows, progress.bytes, progress.all_bytes), (5000, bytes, Some(bytes)), "{name}");
        assert_eq!(stages(&progress)[0], ("read", 5000), "{name}");
    }
}

#[tokio::test]
async fn of_packed_files_nobody_knows_how_many_bytes_there_are() {
    let rig = Rig::new();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, numbers(100).as_bytes()).unwrap();
    rig.write("a.csv.gz", packed.finish().unwrap());
    assert_eq!(rig.rows(&rig.sql("select sum(n) as s from '{}/a.csv.gz'")).await, ["4950"]);
    let progress = rig.engine.progress();
    assert_eq!((progress.rows, progress.all_bytes), (100, None));
    assert_eq!(progress.bytes, numbers(100).len() as u64);
}

#[tokio::test]
async fn queries_of_one_engine_do_not_tell_of_each_other() {
    let rig = Rig::new();
    rig.write("few.csv", numbers(10));
    rig.write("many.csv", numbers(3000));
    let (few, many) = (rig.engine.for_query(), rig.engine.for_query());
    let (first, second) = (rig.scan("few.csv"), rig.scan("many.csv"));
    // Each has given out its first rows when the other one begins.
    let mut begun = few.run(&first).await.unwrap();
    let mut other = many.run(&second).await.unwrap();
    while begun.next().await.unwrap().is_some() {}
    while other.next().await.unwrap().is_some() {}
    assert_eq!((few.progress().rows, many.progress().rows), (10, 3000));
    assert_eq!(rig.engine.progress(), Progress::default(), "nothing was asked of this one");
}

#[tokio::test]
async fn a_query_that_reads_in_rounds_counts_all_of_them() {
    let rig = Rig::new();
    rig.write("steps.csv", "at,next\n1,2\n2,3\n3,4\n");
    let frame: Frame = rig.sql(
        "with recursive w as (select 1 as at union all select s.next from w join '{}/steps.csv' s on w.at = s.at) select max(at) as last from w",
    );
    assert_eq!(rig.rows(&frame).await, ["4"]);
    assert!(rig.engine.progress().rows > 3, "{:?}", rig.engine.progress());
}
