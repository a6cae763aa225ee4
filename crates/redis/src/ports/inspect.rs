use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use cardoon_broker::{Inspect, Member, Place, QueueStats, Waiting};
use cardoon_core::{Page, Position, QueueName, TaskFilter, TaskId, Timestamp};
use cardoon_errors::Result;
use cardoon_protocol::kombu::PRIORITY_STEPS;
use redis::Value;

use crate::envelope::stored_at;
use crate::failure::nonsense;
use crate::keys;
use crate::link::{bytes, int, items, text};
use crate::operations::change::Change;
use crate::operations::delayed;
use crate::operations::messages::Stored;
use crate::operations::queues;
use crate::operations::revoke::{self, Removal};
use crate::operations::search::{self, Delayed};
use crate::operations::sessions::{self, Facts};
use crate::operations::settle::Holding;
use crate::store::RedisStore;

#[async_trait]
impl Inspect for RedisStore {
    async fn queues(&self) -> Result<Vec<QueueStats>> {
        self.shared.check()?;
        let members = self.facts().await?;
        let mut names = queues::queues(&self.shared).await?;
        names.extend(members.iter().flat_map(|facts| facts.queues.iter().cloned()));
        let paused = self.paused().await?;
        names.extend(paused.iter().cloned());
        names.sort_unstable();
        names.dedup();
        let held = self.held_per_queue(&members).await?;
        let mut stats = self.count(&names).await?;
        for (name, stats) in &mut stats {
            stats.paused = paused.contains(name);
            stats.workers = members.iter().filter(|facts| facts.queues.contains(name)).count() as u64;
            stats.held = held.get(name).copied().unwrap_or(0);
        }
        let is_in_use = |stats: &QueueStats| {
            stats.paused || stats.ready + stats.delayed + stats.held + stats.dead + stats.workers > 0
        };
        Ok(stats.into_values().filter(is_in_use).collect())
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>> {
        self.shared.check()?;
        keys::check(queue)?;
        let mut seen = self.ready_in(queue, limit).await?;
        let delayed = self.delayed_in(queue, limit - seen.len()).await?;
        seen.extend(
            delayed.into_iter().map(|delayed| waiting(&delayed.queue, &delayed.raw, &delayed.stored)),
        );
        Ok(seen)
    }

    async fn locate(&self, id: &TaskId) -> Result<Option<(Waiting, Place)>> {
        self.shared.check()?;
        for facts in self.facts().await? {
            let hold = sessions::hold(&self.shared.main, facts.number, &facts.queues).await?;
            if let Some(holding) = hold.holdings.iter().find(|holding| holding.id == *id) {
                let started = hold.started.contains(&holding.lease.sequence);
                return Ok(Some(self.held(&facts, holding, started)));
            }
        }
        if let Some(delayed) = search::delayed(&self.shared.main, id).await?.pop() {
            return Ok(Some(described(&delayed)));
        }
        let queues = queues::queues(&self.shared).await?;
        let ready = search::ready(&self.shared, &queues, id).await?.pop();
        Ok(ready.map(|ready| (waiting(&ready.queue, &ready.raw, &ready.stored), Place::Ready)))
    }

    async fn waiting(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<(Waiting, Place)>> {
        self.shared.check()?;
        filter.queue.as_ref().map_or(Ok(()), keys::check)?;
        let mut found = Vec::new();
        for facts in self.facts().await? {
            let hold = sessions::hold(&self.shared.main, facts.number, &facts.queues).await?;
            for holding in &hold.holdings {
                found.push(self.held(&facts, holding, hold.started.contains(&holding.lease.sequence)));
            }
        }
        let queues = match &filter.queue {
            Some(queue) => vec![queue.clone()],
            None => queues::queues(&self.shared).await?,
        };
        // Without an index, what a filter or a position leaves out has to be looked at too.
        let is_all_wanted =
            after.is_none() && TaskFilter { queue: None, ..filter.clone() } == TaskFilter::default();
        let looked_at = if is_all_wanted { limit.saturating_add(1).min(MOST_LISTED) } else { MOST_LISTED };
        for queue in &queues {
            let ready = self.ready_in(queue, looked_at).await?;
            found.extend(ready.into_iter().map(|waiting| (waiting, Place::Ready)));
            found.extend(self.delayed_in(queue, looked_at).await?.iter().map(described));
        }
        found.retain(|(waiting, place)| {
            let Waiting { message, queue, enqueued_at, .. } = waiting;
            after.is_none_or(|after| position(waiting) > *after)
                && filter.admits_waiting(message, queue, place.state(message), *enqueued_at)
        });
        found.sort_by_cached_key(|(waiting, _)| position(waiting));
        Ok(Page::of(found, limit, |(waiting, _)| position(waiting)))
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64> {
        self.shared.check()?;
        keys::check(queue)?;
        let mut purged = 0;
        for list in keys::lists(std::slice::from_ref(queue)) {
            purged += self.purge_list(queue, &list).await?;
        }
        loop {
            let page = self.delayed_in(queue, PAGE).await?;
            let removal = |delayed: Delayed| {
                let remove = Change::new().if_member(keys::DELAYED, delayed.member.clone());
                let remove = delayed::remove(remove, queue, &delayed.member);
                Removal { message: delayed.stored.message, queue: queue.clone(), remove }
            };
            let removed = self.end(page.into_iter().map(removal).collect()).await?;
            purged += removed;
            if removed == 0 {
                return Ok(purged);
            }
        }
    }

    async fn members(&self) -> Result<Vec<Member>> {
        self.shared.check()?;
        self.as_members(self.facts().await?).await
    }

    async fn may_have_strangers(&self) -> Result<bool> {
        self.shared.check()?;
        // A Celery worker binds a queue of its own to be controlled by, and listens by patterns, as nobody of ours does. The
        // binding outlives one that was killed; listening does not.
        let mut pipeline = redis::pipe();
        pipeline.cmd("EXISTS").arg(CONTROL);
        pipeline.cmd("PUBSUB").arg("NUMPAT");
        let answers = self.shared.main.ask_each(&pipeline).await?;
        let counts = answers.iter().map(|count| int(count, "PUBSUB")).collect::<Result<Vec<_>>>()?;
        Ok(counts.iter().all(|count| *count > 0))
    }
}

/// The queues by which Celery's workers are controlled.
const CONTROL: &str = "_kombu.binding.celery.pidbox";

/// No list is longer, and the server takes no larger number.
const MOST_SEEN: usize = 1 << 40;

/// So many messages of each list, and of the delayed ones of each queue, are listed at most.
const MOST_LISTED: usize = 10_000;

/// The first look at a list is a short one.
const FIRST_LOOK: usize = 16;

/// No more is read of a list when it has given so many bytes.
const MOST_SEEN_BYTES: usize = 64 << 20;

/// Messages that are read in one step.
const PAGE: usize = 256;

impl RedisStore {
    async fn facts(&self) -> Result<Vec<Facts>> {
        let numbers = sessions::numbers(&self.shared.main).await?;
        sessions::facts(&self.shared.main, &numbers).await
    }

    /// What is to be told of sessions.
    pub(super) async fn as_members(&self, sessions: Vec<Facts>) -> Result<Vec<Member>> {
        let mut pipeline = redis::pipe();
        pipeline.cmd("TIME");
        for facts in &sessions {
            pipeline.cmd("HLEN").arg(keys::held(facts.number));
            pipeline.cmd("ZSCORE").arg(keys::BEATS).arg(facts.number);
        }
        let mut answers = self.shared.main.ask_each(&pipeline).await?.into_iter();
        let now = server_millis(answers.next().unwrap_or_default())?;
        let mut next = || int(&answers.next().unwrap_or_default(), "a member");
        let member = |facts: Facts| {
            let held = next().unwrap_or(0) as u64;
            // One that has left since has no heartbeat.
            let beat = next().unwrap_or(now);
            facts.member(held, Duration::from_millis((now - beat).max(0) as u64))
        };
        Ok(sessions.into_iter().map(member).collect())
    }

    async fn paused(&self) -> Result<HashSet<QueueName>> {
        let mut command = redis::cmd("SMEMBERS");
        command.arg(keys::PAUSED);
        let lists = items(self.shared.main.ask(&command).await?, "SMEMBERS")?.into_iter();
        Ok(lists.filter_map(|list| keys::queue_of_list(&text(list, "SMEMBERS").ok()?)).collect())
    }

    fn held(&self, facts: &Facts, holding: &Holding, recorded: bool) -> (Waiting, Place) {
        // What this process executes it knows better than the record says.
        let local = self.shared.local_session(facts.number);
        let started = local.map_or(recorded, |session| session.blame.is_running(holding.lease.sequence));
        let place = Place::Held { worker: facts.worker.clone(), started };
        (waiting(&holding.queue, &holding.raw, &Stored::read(&holding.raw)), place)
    }

    async fn held_per_queue(&self, members: &[Facts]) -> Result<HashMap<QueueName, u64>> {
        let mut pipeline = redis::pipe();
        for facts in members {
            pipeline.cmd("HKEYS").arg(keys::held(facts.number));
        }
        let mut held = HashMap::new();
        for (facts, answer) in members.iter().zip(self.shared.main.ask_each(&pipeline).await?) {
            for field in items(answer, "HKEYS")? {
                let tag = keys::read_held_field(&text(field, "HKEYS")?).map(|(_, tag)| tag);
                if let Some(queue) = tag.and_then(|tag| keys::queue_of_tag(&facts.queues, tag)) {
                    *held.entry(queue.clone()).or_default() += 1;
                }
            }
        }
        Ok(held)
    }

    /// What waits in each queue, in numbers.
    async fn count(&self, names: &[QueueName]) -> Result<BTreeMap<QueueName, QueueStats>> {
        let mut pipeline = redis::pipe();
        for name in names {
            let lists = keys::lists(std::slice::from_ref(name));
            for list in &lists {
                pipeline.cmd("LLEN").arg(list);
            }
            for list in &lists {
                pipeline.cmd("LINDEX").arg(list).arg(-1);
            }
            pipeline.cmd("ZCARD").arg(keys::delayed_of(name));
            pipeline.cmd("ZCARD").arg(keys::dead_of(name));
        }
        // A key that holds something else counts as empty here; whoever takes from it is told.
        let answers: Vec<Value> =
            self.shared.main.ask_all(&pipeline).await?.into_iter().map(Result::unwrap_or_default).collect();
        let steps = PRIORITY_STEPS.len();
        let now = self.shared.now();
        let read = |(name, answers): (&QueueName, &[Value])| {
            let count = |value: &Value| int(value, "LLEN").unwrap_or(0) as u64;
            let stats = QueueStats {
                ready: answers[..steps].iter().map(count).sum(),
                delayed: count(&answers[2 * steps]),
                dead: count(&answers[2 * steps + 1]),
                oldest: oldest(&answers[steps..2 * steps]).map(|oldest| now.since(oldest)),
                ..QueueStats::none(name.clone())
            };
            (name.clone(), stats)
        };
        Ok(names.iter().zip(answers.chunks_exact(2 * steps + 2)).map(read).collect())
    }

    /// The first messages in the lists of a queue.
    async fn ready_in(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>> {
        let mut seen = Vec::new();
        for list in keys::lists(std::slice::from_ref(queue)) {
            if seen.len() < limit {
                let page = self.last_of(&list, limit - seen.len()).await?;
                seen.extend(page.iter().map(|raw| waiting(queue, raw, &Stored::read(raw))));
            }
        }
        Ok(seen)
    }

    /// The messages that would be taken next from a list: as many as wanted, or as fit. They are asked for in parts, because
    /// each may be huge.
    async fn last_of(&self, list: &str, count: usize) -> Result<Vec<Bytes>> {
        let (mut found, mut bytes, mut part) = (Vec::new(), 0, FIRST_LOOK);
        while found.len() < count && bytes < MOST_SEEN_BYTES {
            let wanted = part.min(count - found.len());
            let page = self.part_of(list, found.len(), wanted).await?;
            let is_last = page.len() < wanted;
            bytes += page.iter().map(Bytes::len).sum::<usize>();
            found.extend(page);
            if is_last {
                break;
            }
            part = PAGE;
        }
        Ok(found)
    }

    /// The messages that would be taken next after the first `after`.
    async fn part_of(&self, list: &str, after: usize, count: usize) -> Result<Vec<Bytes>> {
        let (after, count) = (after as i64, count as i64);
        let mut command = redis::cmd("LRANGE");
        command.arg(list).arg(-after - count).arg(-after - 1);
        let page = items(self.shared.main.ask(&command).await?, "LRANGE")?;
        Ok(page.into_iter().rev().filter_map(bytes).collect())
    }

    /// The first delayed messages of a queue.
    async fn delayed_in(&self, queue: &QueueName, limit: usize) -> Result<Vec<Delayed>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("ZRANGE");
        command.arg(keys::delayed_of(queue)).arg(0).arg(limit.min(MOST_SEEN) - 1);
        let members = items(self.shared.main.ask(&command).await?, "ZRANGE")?;
        let members = members.into_iter().filter_map(|member| text(member, "ZRANGE").ok()).collect();
        search::delayed_members(&self.shared.main, members).await
    }

    async fn purge_list(&self, queue: &QueueName, list: &str) -> Result<u64> {
        let mut purged = 0;
        loop {
            let page = self.last_of(list, PAGE).await?;
            if page.is_empty() {
                return Ok(purged);
            }
            let removal = |raw: Bytes| {
                let message = Stored::read(&raw).message;
                let remove = Change::new().then("LREM", list, [Bytes::from_static(b"-1"), raw]);
                Removal { message, queue: queue.clone(), remove }
            };
            purged += self.end(page.into_iter().map(removal).collect()).await?;
        }
    }

    /// Records the ends of messages and removes them; answers how many were there.
    async fn end(&self, removals: Vec<Removal>) -> Result<u64> {
        let removed = revoke::end(&self.shared, removals).await.into_iter();
        removed.map(|removed| removed.map(u64::from)).sum()
    }
}

fn oldest(last: &[Value]) -> Option<Timestamp> {
    let times = last.iter().filter_map(|raw| match raw {
        Value::BulkString(raw) => stored_at(raw),
        _ => None,
    });
    times.min()
}

/// Where a task stands among those that wait: by its sending, then by its id.
fn position(waiting: &Waiting) -> Position {
    Position {
        number: waiting.enqueued_at.0,
        id: format!("{}:{}", waiting.message.id, waiting.message.attempt),
    }
}

/// What the server answers to `TIME`, in milliseconds.
fn server_millis(answer: Value) -> Result<i64> {
    let mut parts = items(answer, "TIME")?.into_iter();
    let mut next =
        || text(parts.next().unwrap_or_default(), "TIME")?.parse::<i64>().map_err(|_| nonsense("TIME"));
    Ok(next()? * 1000 + next()? / 1000)
}

fn described(delayed: &Delayed) -> (Waiting, Place) {
    (waiting(&delayed.queue, &delayed.raw, &delayed.stored), Place::Delayed { until: delayed.due })
}

fn waiting(queue: &QueueName, raw: &[u8], stored: &Stored) -> Waiting {
    Waiting {
        queue: queue.clone(),
        message: stored.message.clone(),
        enqueued_at: stored_at(raw).unwrap_or_default(),
        deaths: stored.marks.deaths,
        redelivered: stored.marks.redelivered,
    }
}
