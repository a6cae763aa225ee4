//! What a user of Celery relies on, whoever sends and whoever works.

use std::time::Duration;

use anyhow::ensure;
use cardoon_core::TaskId;
use cardoon_drills::Testimony;
use serde_json::{Value, json};

use crate::lab::PATIENCE;
use crate::{Call, Ended, Lab, Producer, Side};

/// Values, failures and retries of tasks come back to their producer.
pub async fn results(lab: &Lab, producer: Side, worker: Side) -> anyhow::Result<()> {
    let mut producer = lab.producer(producer).await?;
    let _worker = lab.worker(worker).await?;
    for (call, value) in calls() {
        returns(&mut producer, &call, &value).await?;
    }
    let failed = producer.send(&Call::new("interop.fail", json!(["no milk"]))).await?;
    let ended = producer.outcome(&failed, PATIENCE).await?;
    let raised = Ended::Raised { kind: "ValueError".into(), message: "no milk".into() };
    ensure!(ended == raised, "a failed task ended as {ended:?}");
    let flaky = producer.send(&Call::new("interop.flaky", json!([2]))).await?;
    let ended = producer.outcome(&flaky, PATIENCE).await?;
    ensure!(ended == Ended::Value(json!(2)), "a task with two retries ended as {ended:?}");
    ensure!(starts(&lab.testimony()?, &flaky) == 3, "a task with two retries has not started three times");
    Ok(())
}

fn calls() -> Vec<(Call, Value)> {
    let nested = json!({"任务": ["a", 1.5, null, true, {"deep": []}], "quote": "\" \\ \u{2028}", "large": 1_u64 << 60});
    let named = Call { kwargs: json!({"x": -1, "y": 1}), ..Call::new("interop.add", json!([])) };
    vec![
        (Call::new("interop.add", json!([2, 3])), json!(5)),
        (named, json!(0)),
        (Call::new("interop.echo", json!([nested])), nested),
        (Call::new("interop.echo", json!(["x".repeat(100_000)])), json!("x".repeat(100_000))),
        (Call::new("interop.noop", json!([])), Value::Null),
    ]
}

async fn returns(producer: &mut Producer, call: &Call, value: &Value) -> anyhow::Result<()> {
    let id = producer.send(call).await?;
    let ended = producer.outcome(&id, PATIENCE).await?;
    ensure!(ended == Ended::Value(value.clone()), "{} {} ended as {ended:?}", call.task, call.args);
    Ok(())
}

/// Tasks start when they are due, never after they expire, and keep silent if they were told to.
pub async fn times(lab: &Lab, producer: Side, worker: Side) -> anyhow::Result<()> {
    let mut producer = lab.producer(producer).await?;
    let later = Duration::from_secs(1);
    let noop = Call::new("interop.noop", json!([]));
    let expiring = Call { expires_in: Some(Duration::from_millis(300)), ..noop.clone() };
    let expired = producer.send(&expiring).await?;
    lab.clock.sleep(later).await;
    let _worker = lab.worker(worker).await?;
    let sent_at = lab.clock.boot();
    let due = [
        producer.send(&Call { countdown: Some(later), ..noop.clone() }).await?,
        producer.send(&Call { eta_in: Some(later), ..noop.clone() }).await?,
    ];
    let in_time = producer.send(&Call { expires_in: Some(PATIENCE), ..noop.clone() }).await?;
    let told_to_be_silent = producer.send(&Call { ignore_result: true, ..noop.clone() }).await?;
    let silent = producer.send(&Call::new("interop.silent", json!([]))).await?;
    let ids = [due.to_vec(), vec![in_time, told_to_be_silent.clone(), silent.clone()]].concat();
    let testimony = lab.until_done(&ids).await?;
    for id in &due {
        let start = testimony.starts().find(|start| start.id == *id);
        let waited = start.map(|start| start.at.since(sent_at)).unwrap_or_default();
        ensure!(waited >= later, "a task that was due in {later:?} started after {waited:?}");
    }
    ensure!(starts(&testimony, &expired) == 0, "a task started after it had expired");
    let ended = producer.outcome(&expired, PATIENCE).await?;
    ensure!(matches!(ended, Ended::Raised { .. }), "an expired task ended as {ended:?}");
    for (id, who) in [(told_to_be_silent, "call"), (silent, "task")] {
        let ended = producer.outcome(&id, Duration::from_millis(100)).await?;
        let tells = ended != Ended::Unknown && ended != Ended::Value(Value::Null);
        ensure!(!tells, "a {who} that ignores its result ended as {ended:?}");
    }
    Ok(())
}

/// What waits is taken by its priority, then by its age.
pub async fn priorities(lab: &Lab, producer: Side, worker: Side) -> anyhow::Result<()> {
    let mut producer = lab.producer(producer).await?;
    let mut sent: Vec<(u8, TaskId)> = Vec::new();
    // Celery's steps on Redis are 0, 3, 6 and 9; what lies between counts as the step below.
    for level in [9, 3, 0, 6, 4, 0, 9] {
        let call = Call { level: Some(level), ..Call::new("interop.noop", json!([])) };
        sent.push((level / 3, producer.send(&call).await?));
    }
    let _worker = lab.worker(worker).await?;
    let ids: Vec<_> = sent.iter().map(|(_, id)| id.clone()).collect();
    let testimony = lab.until_done(&ids).await?;
    sent.sort_by_key(|(step, _)| *step);
    let wanted: Vec<_> = sent.into_iter().map(|(_, id)| id).collect();
    let started: Vec<_> = testimony.starts().map(|start| start.id.clone()).collect();
    ensure!(started == wanted, "started in the order {started:?}, by priority it is {wanted:?}");
    Ok(())
}

/// Bodies in every form that their producer can give them without pickle.
pub async fn serialisers(lab: &Lab, worker: Side) -> anyhow::Result<()> {
    let mut producer = lab.producer(Side::Theirs).await?;
    let _worker = lab.worker(worker).await?;
    let value = json!({"任务": [1, -2.5, null, true, "text"], "long": "x".repeat(10_000)});
    for serializer in ["json", "msgpack", "yaml"] {
        for compression in [None, Some("zlib"), Some("bzip2"), Some("lzma")] {
            let mut call = Call::new("interop.echo", json!([value]));
            call.theirs.push(("serializer", serializer));
            call.theirs.extend(compression.map(|compression| ("compression", compression)));
            returns(&mut producer, &call, &value).await?;
        }
    }
    Ok(())
}

/// Dates, decimals and the like come back to Python as what they were.
pub async fn types(lab: &Lab, worker: Side) -> anyhow::Result<()> {
    let mut client = lab.client()?;
    let _worker = lab.worker(worker).await?;
    let changed = client.ask(json!({"do": "echo_types", "limit": PATIENCE.as_secs()})).await?;
    ensure!(changed == json!([]), "came back as something else: {changed}");
    Ok(())
}

fn starts(testimony: &Testimony, id: &TaskId) -> usize {
    testimony.starts().filter(|start| start.id == *id).count()
}
