//! Groups by whole numbers, which a table finds if they lie close together: the answer is the one without it.

use cardoon_engine::MINIMUM_MEMORY;
use fastrand::Rng;

use crate::support::Rig;

const VALUES: &str = "count(*), count(n), sum(n), min(n), max(n), avg(n), min(name)";

/// Rows of a key, a number and a name; one key or number in ten is missing.
fn rows(mut key: impl FnMut(&mut Rng, u64) -> i64, count: u64) -> String {
    let mut random = Rng::with_seed(11);
    let mut text = String::from("key,n,name\n");
    for row in 0..count {
        let maybe = |value: i64, random: &mut Rng| match random.u8(..10) {
            0 => String::new(),
            _ => value.to_string(),
        };
        let (key, n) = (key(&mut random, row), random.i64(-50..50));
        let line = [maybe(key, &mut random), maybe(n, &mut random), format!("user-{}", random.u8(..))];
        text += &(line.join(",") + "\n");
    }
    text
}

/// The plan that groups by `key` uses the table; by a text of it, it cannot.
async fn is_the_same(rig: &Rig, key: &str) {
    let direct = format!("select {key} as k, {VALUES} from '{{}}/a.csv' group by {key}");
    let plan = rig.engine.explain(&rig.sql(&direct)).await.unwrap();
    assert!(plan.contains("DirectAggregateExec"), "{plan}");
    let usual = format!(
        "select k, {VALUES} from (select cast({key} as varchar) as k, n, name from '{{}}/a.csv') group by k"
    );
    let plan = rig.engine.explain(&rig.sql(&usual)).await.unwrap();
    assert!(!plan.contains("DirectAggregateExec"), "{plan}");
    let (mut direct, mut usual) = (rig.rows(&rig.sql(&direct)).await, rig.rows(&rig.sql(&usual)).await);
    direct.sort_unstable();
    usual.sort_unstable();
    assert_eq!(direct.len(), usual.len());
    assert_eq!(direct, usual);
}

#[tokio::test]
async fn keys_that_lie_close_together() {
    let rig = Rig::new();
    rig.write("a.csv", rows(|random, _| random.i64(-300..2000), 60_000));
    is_the_same(&rig, "key").await;
    is_the_same(&rig, "key % 7").await;
}

#[tokio::test]
async fn keys_that_lie_far_apart() {
    let rig = Rig::new();
    rig.write("a.csv", rows(|random, _| random.i64(-40..40) * 1_000_000_007_000, 60_000));
    is_the_same(&rig, "key").await;
}

#[tokio::test]
async fn keys_that_lie_far_apart_only_later() {
    let rig = Rig::new();
    let key =
        |random: &mut Rng, row| if row < 30_000 { random.i64(0..900) } else { random.i64(-900..900) << 40 };
    rig.write("a.csv", rows(key, 60_000));
    is_the_same(&rig, "key").await;
}

#[tokio::test]
async fn more_groups_than_the_memory_holds() {
    let rig = Rig::with(|settings| settings.memory = Some(MINIMUM_MEMORY));
    rig.write("a.csv", rows(|_, row| row as i64 * 3, 900_000));
    is_the_same(&rig, "key").await;
}
