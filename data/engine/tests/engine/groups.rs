//! Groups by keys that are some of few, which a table finds: the answer is the one without it.

use fastrand::Rng;

use crate::support::Rig;

const VALUES: &str = "count(*), count(n), sum(n), min(n), max(n), avg(n), min(name)";

/// Rows of a key, a number, a name and a fraction that is the same in all; some of the others are missing.
fn rows(mut key: impl FnMut(&mut Rng, u64) -> i64, count: u64) -> String {
    let mut random = Rng::with_seed(11);
    let mut text = String::from("key,n,name,half\n");
    for row in 0..count {
        let maybe = |value: i64, random: &mut Rng| match random.u8(..10) {
            0 => String::new(),
            _ => value.to_string(),
        };
        let (key, n) = (key(&mut random, row), random.i64(-50..50));
        let name = match random.u8(..) {
            0..20 => String::new(),
            number => format!("user-{number}{}", " of a long name".repeat(usize::from(number % 3))),
        };
        let line = [maybe(key, &mut random), maybe(n, &mut random), name, "0.5".to_owned()];
        text += &(line.join(",") + "\n");
    }
    text
}

/// No table has a place for a fraction, so that the same groups are made without one if there is one among the keys.
async fn is_the_same(rig: &Rig, keys: &str) {
    let query =
        |more: &str| rig.sql(&format!("select {keys}, {VALUES} from '{{}}/a.csv' group by {keys}{more}"));
    let (direct, usual) = (query(""), query(", half"));
    let plans = (rig.engine.explain(&direct).await.unwrap(), rig.engine.explain(&usual).await.unwrap());
    assert!(plans.0.contains("DirectAggregateExec") && !plans.1.contains("DirectAggregateExec"), "{plans:?}");
    let (direct, usual) = (rig.sorted(&direct).await, rig.sorted(&usual).await);
    assert_eq!(direct.len(), usual.len());
    assert_eq!(direct, usual);
}

#[tokio::test]
async fn keys_that_lie_close_together() {
    for threads in [1, 2] {
        let rig = Rig::with(|settings| settings.threads = Some(threads));
        rig.write("a.csv", rows(|random, _| random.i64(-300..2000), 60_000));
        for keys in [
            "key",
            "key % 7",
            "name",
            "name, key",
            "key, name, n",
            "cast(n as integer), cast(key as smallint)",
        ] {
            is_the_same(&rig, keys).await;
        }
    }
}

#[tokio::test]
async fn distinct_keys_of_distinct_names() {
    let rig = Rig::new();
    rig.write("a.csv", rows(|random, _| random.i64(-300..2000), 60_000));
    let count = |half: &str| {
        rig.sql(&format!("select name, count(distinct key) from '{{}}/a.csv' group by name{half}"))
    };
    assert_eq!(rig.sorted(&count("")).await, rig.sorted(&count(", half")).await);
}

#[tokio::test]
async fn keys_that_lie_far_apart() {
    for threads in [1, 2] {
        let rig = Rig::with(|settings| settings.threads = Some(threads));
        rig.write("a.csv", rows(|random, _| random.i64(-40..40) * 1_000_000_007_000, 60_000));
        for keys in ["key", "name, key"] {
            is_the_same(&rig, keys).await;
        }
    }
}

/// What was grouped before is put together with what comes after, in both halves.
#[tokio::test]
async fn keys_that_lie_far_apart_only_later() {
    for threads in [1, 2] {
        let rig = Rig::with(|settings| settings.threads = Some(threads));
        let key = |random: &mut Rng, row| {
            if row < 30_000 { random.i64(0..900) } else { random.i64(-900..900) << 40 }
        };
        rig.write("a.csv", rows(key, 60_000));
        for keys in ["key", "key, name"] {
            is_the_same(&rig, keys).await;
        }
    }
}

#[tokio::test]
async fn texts_that_become_too_many() {
    let rig = Rig::new();
    rig.write("a.csv", rows(|random, row| if row < 30_000 { 7 } else { random.i64(0..9000) }, 60_000));
    is_the_same(&rig, "concat(name, cast(key as varchar))").await;
}

#[tokio::test]
async fn more_groups_than_the_memory_holds() {
    for threads in [1, 2] {
        let rig = Rig::with(|settings| settings.threads = Some(threads));
        rig.write("a.csv", rows(|_, row| row as i64 * 3, 900_000));
        is_the_same(&rig, "key").await;
    }
}
