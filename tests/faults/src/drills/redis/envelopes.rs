//! What lies in a list and is no message of anybody's: no worker stops over it, and it is kept byte for byte.

use std::path::Path;
use std::time::Duration;

use cardoon_broker::DeadFilter;
use cardoon_testkit::RedisOptions;

use super::LIST;
use crate::lab::PATIENCE;
use crate::{Lab, Outcome, Plant, tasks};

/// What kombu would write, of a task that succeeds.
const SOUND: &str = r#"{"body": "W1swLjAxXSwge30sIHt9XQ==", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"task": "drill.work", "id": "sound"}, "properties": {"correlation_id": "sound", "priority": 0, "delivery_tag": "1", "body_encoding": "base64"}}"#;

pub async fn run(program: &Path, plant: Option<Plant>) -> anyhow::Result<Outcome> {
    let lab = Lab::on_redis(program, RedisOptions::default()).await?;
    let mut worker = lab.start(&lab.spec("worker").plant(plant)).await?;
    let broken = broken();
    for text in &broken {
        lab.redis()?.command(&["LPUSH", LIST, text]).await?;
    }
    let after = lab.send(tasks::WORK, 5, Duration::from_millis(10)).await?;
    let mut outcome = Outcome::new("envelopes of no shape");
    outcome.figure("shapes", broken.len());
    outcome.expect("sound tasks after them lost", lab.until_ended(&after).await?.len(), 0);
    let dead = if plant.is_none() { lab.until_dead(broken.len()).await? } else { lab.dead().await? };
    outcome.expect("in the dead letters", dead.len(), broken.len());
    let untold = dead.iter().filter(|letter| letter.detail.is_empty()).count();
    outcome.expect("without a reason", untold, 0);
    outcome.require(worker.ended().is_none(), format!("the worker ended: {}", worker.stderr()));
    worker.stop(PATIENCE).await?;
    lab.stores.broker.dead_letters().redrive(&DeadFilter::default()).await?;
    let back = lab.redis()?.command(&["LRANGE", LIST, "0", "-1"]).await?;
    let changed = broken.iter().filter(|text| !back.lines().any(|line| is(line, text))).count();
    outcome.expect("not brought back byte for byte", changed, 0);
    Ok(outcome)
}

/// Whether a line of the list is this text, be it behind marks of ours.
fn is(line: &str, text: &str) -> bool {
    let behind_marks = || line.strip_prefix(r#"{"cardoon":{"#)?.strip_suffix(text.get(1..)?);
    line == text || behind_marks().is_some_and(|marks| marks.ends_with("},"))
}

fn broken() -> Vec<String> {
    let with = |from: &str, to: &str| SOUND.replace(from, to);
    let texts = [
        "no envelope at all".into(),
        " ".into(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "\u{0}\u{6}\u{16}".into(),
        SOUND[..SOUND.len() / 2].into(),
        format!("{SOUND} and more"),
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)),
        with(r#""W1swLjAxXSwge30sIHt9XQ==""#, "5"),
        with("W1swLjAxXSwge30sIHt9XQ==", "this is not base64!"),
        with(r#""body_encoding": "base64""#, r#""body_encoding": "rot13""#),
        with(r#"{"task": "drill.work", "id": "sound"}"#, "[]"),
        with(r#""task": "drill.work", "#, ""),
        r#"{"cardoon":{"deaths":"many"},"body":7}"#.into(),
        r#"{"cardoon":{"redelivered":true"#.into(),
    ];
    // Each has an id of its own, as far as it has one.
    texts
        .into_iter()
        .enumerate()
        .map(|(n, text): (usize, String)| text.replace("sound", &format!("sound-{n}")))
        .collect()
}
