//! Sessions as they are stored.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::{ConsumeSpec, Member};
use cardoon_core::{Lease, QueueName, Timestamp, VERSION};
use cardoon_errors::Result;

use super::messages::Stored;
use super::settle::Holding;
use crate::failure::nonsense;
use crate::keys;
use crate::link::{Lane, bytes, items, text};
use crate::store::Shared;

/// What is stored about a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) number: u64,
    pub(crate) worker: String,
    pub(crate) queues: Vec<QueueName>,
    pub(crate) tasks: Vec<String>,
    pub(crate) slots: u32,
    pub(crate) since: Timestamp,
    pub(crate) pid: u32,
    pub(crate) lease_millis: u64,
    /// Empty if it was entered before versions were told.
    pub(crate) version: String,
}

/// Draws the number of a new session.
pub(crate) async fn draw(shared: &Shared) -> Result<u64> {
    let prepare = |command: &mut redis::Cmd| _ = command.arg(1).arg(keys::SESSION_NUMBER);
    let answer = shared.main.call(&shared.scripts.session, prepare).await?;
    text(answer, "a session's number")?.parse().map_err(|_| nonsense("a session's number"))
}

/// Enters a session among the living. `signed`: it gives a sign of life besides its heartbeats.
pub(crate) async fn enter(shared: &Shared, number: u64, spec: &ConsumeSpec, signed: bool) -> Result<()> {
    let facts = words(spec);
    let prepare = |command: &mut redis::Cmd| {
        command.arg(4 + spec.queues.len());
        command.arg(keys::session(number)).arg(keys::BEATS).arg(keys::SIGNED).arg(keys::QUEUES);
        for queue in &spec.queues {
            command.arg(keys::workers(queue));
        }
        command.arg(number).arg(u8::from(signed)).arg(facts.len()).arg(&facts);
        for queue in &spec.queues {
            command.arg(queue.as_str());
        }
    };
    shared.main.call(&shared.scripts.join, prepare).await.map(drop)
}

fn words(spec: &ConsumeSpec) -> Vec<String> {
    let pairs = [
        ("worker", spec.worker.clone()),
        ("queues", json(&spec.queues)),
        ("tasks", json(&spec.tasks)),
        ("slots", spec.slots.to_string()),
        ("lease", spec.terms.lease.as_millis().to_string()),
        ("pid", std::process::id().to_string()),
        ("host", cardoon_runtime::hostname()),
        ("version", VERSION.to_owned()),
    ];
    pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The numbers of all sessions.
pub(crate) async fn numbers(lane: &Lane) -> Result<Vec<u64>> {
    let mut command = redis::cmd("ZRANGE");
    command.arg(keys::BEATS).arg(0).arg(-1);
    let answer = items(lane.ask(&command).await?, "ZRANGE")?;
    Ok(answer.into_iter().filter_map(|value| text(value, "ZRANGE").ok()?.parse().ok()).collect())
}

/// The facts of those sessions that there are.
pub(crate) async fn facts(lane: &Lane, numbers: &[u64]) -> Result<Vec<Facts>> {
    let mut pipeline = redis::pipe();
    for number in numbers {
        pipeline.cmd("HGETALL").arg(keys::session(*number));
    }
    let answers = lane.ask_each(&pipeline).await?;
    let read = |(number, answer): (&u64, redis::Value)| Some(read(*number, &fields(answer).ok()?));
    Ok(numbers.iter().zip(answers).filter_map(read).flatten().collect())
}

fn fields(answer: redis::Value) -> Result<HashMap<String, String>> {
    let mut values = items(answer, "HGETALL")?.into_iter();
    let mut fields = HashMap::new();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        fields.insert(text(name, "HGETALL")?, text(value, "HGETALL")?);
    }
    Ok(fields)
}

fn read(number: u64, fields: &HashMap<String, String>) -> Option<Facts> {
    let parsed = |name: &str| fields.get(name)?.parse::<u64>().ok();
    let list = |name: &str| -> Vec<String> {
        fields.get(name).and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    };
    fields.get("epoch")?;
    Some(Facts {
        number,
        worker: fields.get("worker").cloned().unwrap_or_default(),
        queues: list("queues").into_iter().filter_map(|name| QueueName::new(name).ok()).collect(),
        tasks: list("tasks"),
        slots: parsed("slots").unwrap_or(0) as u32,
        since: Timestamp(parsed("since").unwrap_or(0) as i64),
        pid: parsed("pid").unwrap_or(0) as u32,
        lease_millis: parsed("lease").unwrap_or(15_000),
        version: fields.get("version").cloned().unwrap_or_default(),
    })
}

impl Facts {
    pub(crate) fn member(self, held: u64, heartbeat_age: Duration) -> Member {
        Member {
            worker: self.worker,
            session: self.number,
            queues: self.queues,
            tasks: self.tasks,
            slots: self.slots,
            held,
            since: self.since,
            pid: self.pid,
            heartbeat_age,
            version: self.version,
        }
    }
}

/// What a session holds, in the order in which it was taken, and the sequences of what has started.
pub(crate) struct Hold {
    pub(crate) holdings: Vec<Holding>,
    pub(crate) started: HashSet<u64>,
}

/// Looks what a session holds.
pub(crate) async fn hold(lane: &Lane, session: u64, queues: &[QueueName]) -> Result<Hold> {
    let mut pipeline = redis::pipe();
    pipeline.cmd("HGETALL").arg(keys::held(session));
    pipeline.cmd("HKEYS").arg(keys::started(session));
    pipeline.cmd("HKEYS").arg(keys::early(session));
    let mut answers = lane.ask_each(&pipeline).await?.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let held = items(next(), "HGETALL")?;
    let (started, early) = (sequences(next())?, sequences(next())?);
    let lists = keys::lists(queues);
    let mut values = held.into_iter();
    let mut holdings = Vec::new();
    while let (Some(field), Some(raw)) = (values.next(), values.next()) {
        let (field, raw) = (text(field, "HGETALL")?, bytes(raw).unwrap_or_default());
        holdings.extend(holding(session, &field, raw, queues, &lists, &early));
    }
    holdings.sort_by_key(|holding| holding.lease.sequence);
    Ok(Hold { holdings, started })
}

fn sequences(answer: redis::Value) -> Result<HashSet<u64>> {
    let values = items(answer, "HKEYS")?.into_iter();
    Ok(values.filter_map(|value| text(value, "HKEYS").ok()?.parse().ok()).collect())
}

fn holding(
    session: u64,
    field: &str,
    raw: Bytes,
    queues: &[QueueName],
    lists: &[String],
    early: &HashSet<u64>,
) -> Option<Holding> {
    let (sequence, tag) = keys::read_held_field(field)?;
    let queue = keys::queue_of_tag(queues, tag)?.clone();
    let list = lists.get(tag as usize)?.as_str().into();
    let stored = Stored::read(&raw);
    Some(Holding {
        lease: Lease { session, sequence, tag },
        queue,
        list,
        id: stored.message.id,
        early: early.contains(&sequence),
        deaths: stored.marks.deaths,
        raw,
    })
}

/// Removes a session that holds nothing. `None`: it still holds something; else whether it was this call.
pub(crate) async fn leave(shared: &Shared, session: u64, queues: &[QueueName]) -> Result<Option<bool>> {
    let prepare = |command: &mut redis::Cmd| {
        command.arg(7 + queues.len());
        command.arg(keys::session(session)).arg(keys::held(session)).arg(keys::BEATS).arg(keys::SIGNED);
        command.arg(keys::SUSPECTS).arg(keys::started(session)).arg(keys::early(session));
        for queue in queues {
            command.arg(keys::workers(queue));
        }
        command.arg(session);
    };
    match crate::link::int(&shared.main.call(&shared.scripts.leave, prepare).await?, "leaving")? {
        0 => Ok(None),
        answer => Ok(Some(answer == 1)),
    }
}

/// Makes claims that are under way void. `None`: the session is over.
pub(crate) async fn recover(shared: &Shared, session: u64) -> Result<Option<u64>> {
    let prepare = |command: &mut redis::Cmd| _ = command.arg(1).arg(keys::session(session));
    match shared.main.call(&shared.scripts.recover, prepare).await? {
        redis::Value::Nil | redis::Value::Boolean(false) => Ok(None),
        answer => crate::link::int(&answer, "an epoch").map(|epoch| Some(epoch as u64)),
    }
}
