//! What a layout with a stream and a consumer group instead of lists could reach: the bare loop of
//! [`bare_redis`](super::bare_redis) with other commands.
//!
//! An entry in the group's list of pending ones is the lease, so a claim is one plain command, and nothing else happens in
//! it: no look at delayed messages, none at other priorities, none whether the session still counts. That is less than a
//! layout would have to do.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use anyhow::{Result, bail, ensure};
use redis::{Commands, Connection, Script, Value};

use super::bare_redis::{AHEAD, KEPT_SECS, LISTS, document};
use crate::stopwatch::Stopwatch;
use crate::stores::redis::Eye;

const STREAM: &str = "cardoon:stream";
const GROUP: &str = "workers";
const CONSUMER: &str = "1";
/// Entries that are added in one go.
const PAGE: usize = 1000;

/// The usual settle of the adapter, for entries of a stream. A lease is looked at before its result is written, since an
/// acknowledgement does not say whose the entry was.
const SETTLE: &str = r"
local known = redis.call('MGET', unpack(KEYS, 2))
local checks, done = ARGV[3] == '1', {}
for item = 1, (#KEYS - 1) / 2 do
  local entry, result = ARGV[2 * item + 2], ARGV[2 * item + 3]
  local held = not checks or #redis.call('XPENDING', KEYS[1], ARGV[1], entry, entry, 1, '1') == 1
  if held and not known[2 * item - 1] and not known[2 * item] then
    if result ~= '' then
      redis.call('SETEX', KEYS[2 * item + 1], ARGV[2], result)
      redis.call('PUBLISH', KEYS[2 * item + 1], result)
    end
    done[#done + 1] = entry
  end
end
redis.call('XACK', KEYS[1], ARGV[1], unpack(done))
return redis.call('XDEL', KEYS[1], unpack(done))
";

/// The answer of a read: for each stream its entries, each with its number and what is in it.
type Read = Vec<(String, Vec<(String, Value)>)>;

/// One way to drain a stream.
pub(crate) struct Streams {
    pub(crate) batch: usize,
    pub(crate) keeps_results: bool,
    /// Whether a lease is looked at before its result is written.
    pub(crate) checks_leases: bool,
}

/// Moves what waits in the default queue's lists into a stream with a group.
pub(crate) fn fill(eye: &mut Eye) -> Result<()> {
    let connection = eye.connection();
    redis::cmd("XGROUP").arg("CREATE").arg(STREAM).arg(GROUP).arg("0").arg("MKSTREAM").exec(connection)?;
    for list in LISTS {
        let envelopes: Vec<Vec<u8>> = connection.lrange(list, 0, -1)?;
        for page in envelopes.rchunks(PAGE) {
            let mut pipeline = redis::pipe();
            for envelope in page.iter().rev() {
                pipeline.cmd("XADD").arg(STREAM).arg("*").arg("m").arg(&envelope[..]).ignore();
            }
            pipeline.exec(connection)?;
        }
        redis::cmd("DEL").arg(list).exec(connection)?;
    }
    Ok(())
}

impl Streams {
    /// Tasks a second while the tasks `ids` are claimed and ended.
    pub(crate) fn drain(&self, url: &str, ids: &[String]) -> Result<f64> {
        let client = redis::Client::open(url)?;
        let (mut claims, mut settles) = (client.get_connection()?, client.get_connection()?);
        let results: Vec<String> =
            ids.iter().map(|id| if self.keeps_results { document(id) } else { String::new() }).collect();
        let (claimed, to_settle) = sync_channel(AHEAD);
        let watch = Stopwatch::start();
        std::thread::scope(|scope| {
            let claiming = scope.spawn(|| self.claim_all(&mut claims, ids.len(), claimed));
            let settled = self.settle_all(&mut settles, ids, &results, to_settle);
            claiming.join().unwrap_or_else(|_| bail!("a thread panicked"))?;
            settled
        })?;
        Ok(ids.len() as f64 / watch.secs())
    }

    /// Claims all tasks, and hands on their entries.
    fn claim_all(
        &self,
        connection: &mut Connection,
        count: usize,
        claimed: SyncSender<Vec<String>>,
    ) -> Result<()> {
        let mut take = redis::cmd("XREADGROUP");
        take.arg("GROUP").arg(GROUP).arg(CONSUMER).arg("COUNT").arg(self.batch);
        take.arg("STREAMS").arg(STREAM).arg(">");
        let mut taken = 0;
        while taken < count {
            let read: Option<Read> = take.query(connection)?;
            let streams = read.unwrap_or_default().into_iter();
            let entries: Vec<String> =
                streams.flat_map(|(_, entries)| entries).map(|(number, _)| number).collect();
            ensure!(!entries.is_empty(), "the stream ran dry at {taken}");
            taken += entries.len();
            claimed.send(entries)?;
        }
        // The settling thread ends with its last batch.
        drop(claimed);
        Ok(())
    }

    fn settle_all(
        &self,
        connection: &mut Connection,
        ids: &[String],
        results: &[String],
        claimed: Receiver<Vec<String>>,
    ) -> Result<()> {
        let script = Script::new(&format!("#!lua flags=allow-oom\n{SETTLE}"));
        let mut ended = 0;
        for entries in claimed {
            let mut call = script.prepare_invoke();
            call.key(STREAM).arg(GROUP).arg(KEPT_SECS).arg(u8::from(self.checks_leases));
            for (index, entry) in (ended..).zip(&entries) {
                let id = &ids[index];
                call.key(format!("cardoon:run:{id}")).key(format!("celery-task-meta-{id}"));
                call.arg(entry).arg(&results[index]);
            }
            let deleted: usize = call.invoke(connection)?;
            ensure!(deleted == entries.len(), "a settle was refused");
            ended += entries.len();
        }
        ensure!(ended == ids.len(), "{ended} of {} were settled", ids.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::bare_redis::waiting;
    use super::*;
    use crate::stores::redis::{Stage, add_noops, close};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_stream_is_drained_of_all_tasks_and_their_results_are_kept() {
        let stage = Stage::start().await.unwrap();
        for checks_leases in [true, false] {
            stage.clear().await.unwrap();
            let app = stage.app().await.unwrap();
            add_noops(&app, 100, false, None).await.unwrap();
            close(app).await.unwrap();
            let mut eye = stage.eye().unwrap();
            let ids = waiting(&mut eye).unwrap();
            fill(&mut eye).unwrap();
            let streams = Streams { batch: 16, keeps_results: true, checks_leases };
            assert!(streams.drain(&stage.url(), &ids).unwrap() > 0.0);
            let left: u64 = redis::cmd("XLEN").arg(STREAM).query(eye.connection()).unwrap();
            let first: Option<String> = eye.connection().get(format!("celery-task-meta-{}", ids[0])).unwrap();
            assert!(left == 0 && first.is_some_and(|first| first.contains(&ids[0])));
        }
    }
}
