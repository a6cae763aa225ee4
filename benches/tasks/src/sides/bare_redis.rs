//! The same commands as the adapter's, in a bare loop: the most that a worker could reach on this server.
//!
//! Two connections, as the worker has: over one a thread claims batch after batch with the adapter's script, over the
//! other one a second thread settles them with the adapter's script, results included if they are kept. Nothing is
//! decoded, no task code, no liveness, no bookkeeping.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Context, Result, bail, ensure};
use redis::{Connection, Script, Value};
use serde_json::Value as Json;

use crate::stopwatch::Stopwatch;
use crate::stores::redis::Eye;

/// The adapter's scripts.
const COMMON: &str = include_str!("../../../../crates/redis/src/scripts/common.lua");
const CLAIM: &str = include_str!("../../../../crates/redis/src/scripts/claim.lua");
const SETTLE: &str = include_str!("../../../../crates/redis/src/scripts/settle.lua");

/// The lists of a queue, most urgent first.
pub(super) const LISTS: [&str; 4] =
    ["celery", "celery\u{6}\u{16}3", "celery\u{6}\u{16}6", "celery\u{6}\u{16}9"];
/// The list of the default priority, by its place among them.
const SESSION: &str = "cardoon:session:1";
const HELD: &str = "cardoon:held:1";
/// The adapter claims up to 8 MiB at once, and keeps results for a day.
const MOST_BYTES: u64 = 8 << 20;
pub(super) const KEPT_SECS: u64 = 86_400;
/// Claims that may be ahead of their settles.
pub(super) const AHEAD: usize = 2;

/// Tasks a second while `ids`, which are all that wait in the order in which they are taken, are claimed and ended,
/// `batch` at a time.
pub(crate) fn drain(url: &str, ids: &[String], batch: usize, keeps_results: bool) -> Result<f64> {
    let client = redis::Client::open(url)?;
    let (mut claims, mut settles) = (client.get_connection()?, client.get_connection()?);
    redis::cmd("HSET").arg(SESSION).arg("epoch").arg("1").exec(&mut claims)?;
    let results: Vec<String> =
        ids.iter().map(|id| if keeps_results { document(id) } else { String::new() }).collect();
    let (claimed, to_settle) = sync_channel(AHEAD);
    let watch = Stopwatch::start();
    std::thread::scope(|scope| {
        let claiming = scope.spawn(|| claim_all(&mut claims, ids.len(), batch, claimed));
        let settled = settle_all(&mut settles, ids, &results, to_settle);
        claiming.join().unwrap_or_else(|_| bail!("a thread panicked"))?;
        settled
    })?;
    Ok(ids.len() as f64 / watch.secs())
}

/// The ids of the tasks that wait in the default queue, in the order in which they are taken.
pub(crate) fn waiting(eye: &mut Eye) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    for list in LISTS {
        let envelopes: Vec<String> = redis::cmd("LRANGE").arg(list).arg(0).arg(-1).query(eye.connection())?;
        for envelope in envelopes.iter().rev() {
            let envelope: Json = serde_json::from_str(envelope)?;
            let id = envelope["headers"]["id"].as_str().context("an envelope without an id")?;
            ids.push(id.to_owned());
        }
    }
    Ok(ids)
}

/// Claims all tasks, and hands on the fields under which they are held.
fn claim_all(
    connection: &mut Connection,
    count: usize,
    batch: usize,
    claimed: SyncSender<Vec<String>>,
) -> Result<()> {
    let script = script(CLAIM);
    let mut taken = 0;
    while taken < count {
        let mut call = script.prepare_invoke();
        call.key(SESSION).key(HELD).key("cardoon:revoked").key("cardoon:delayed");
        call.key("cardoon:delayed-messages").key(&LISTS);
        call.arg("1").arg(batch).arg(MOST_BYTES).arg(taken + 1).arg(&[0, 1, 2, 3]);
        let answer: Vec<Value> = call.invoke(connection)?;
        let fields = fields(&answer, taken + 1)?;
        ensure!(!fields.is_empty(), "the queue ran dry at {taken}");
        taken += fields.len();
        claimed.send(fields)?;
    }
    // The settling thread ends with its last batch.
    drop(claimed);
    Ok(())
}

/// After four numbers and the lists that are paused, a claim's answer has a list's tag, a count and as many messages.
fn fields(answer: &[Value], first: usize) -> Result<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = answer.get(5..).context("a claim without an answer")?;
    while let [Value::Int(tag), Value::Int(count), messages @ ..] = rest {
        let last = first + fields.len() + *count as usize;
        fields.extend((first + fields.len()..last).map(|sequence| format!("{sequence}:{tag}")));
        rest = messages.get(*count as usize..).context("a claim with too few messages")?;
    }
    Ok(fields)
}

fn settle_all(
    connection: &mut Connection,
    ids: &[String],
    results: &[String],
    claimed: Receiver<Vec<String>>,
) -> Result<()> {
    let script = script(SETTLE);
    let mut ended = 0;
    for fields in claimed {
        let mut call = script.prepare_invoke();
        call.key(HELD).arg(KEPT_SECS);
        for (index, field) in (ended..).zip(&fields) {
            let id = &ids[index];
            call.key(format!("cardoon:run:{id}")).key(format!("celery-task-meta-{id}"));
            call.arg(field).arg(&results[index]);
        }
        let answers: Vec<i64> = call.invoke(connection)?;
        ensure!(answers.iter().all(|answer| *answer == 1), "a settle was refused");
        ended += fields.len();
    }
    ensure!(ended == ids.len(), "{ended} of {} were settled", ids.len());
    Ok(())
}

fn script(text: &str) -> Script {
    Script::new(&format!("#!lua flags=allow-oom\n{COMMON}\n{text}"))
}

/// A result as the adapter writes it.
pub(super) fn document(id: &str) -> String {
    format!(
        r#"{{"status":"SUCCESS","result":null,"traceback":null,"children":[],"date_done":"2026-01-01T00:00:00.000000+00:00","task_id":"{id}"}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stores::redis::{Stage, add_noops, close};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_bare_loop_calls_the_scripts_as_the_adapter_does() {
        let stage = Stage::start().await.unwrap();
        for keeps_results in [true, false] {
            stage.clear().await.unwrap();
            let app = stage.app().await.unwrap();
            add_noops(&app, 100, !keeps_results, None).await.unwrap();
            close(app).await.unwrap();
            let mut eye = stage.eye().unwrap();
            let ids = waiting(&mut eye).unwrap();
            assert!(drain(&stage.url(), &ids, 16, keeps_results).unwrap() > 0.0);
            assert!(waiting(&mut eye).unwrap().is_empty());
            let held: u64 = redis::cmd("HLEN").arg(HELD).query(eye.connection()).unwrap();
            let results: Vec<String> =
                redis::cmd("KEYS").arg("celery-task-meta-*").query(eye.connection()).unwrap();
            assert_eq!((held, results.len()), (0, if keeps_results { 100 } else { 0 }));
        }
    }
}
