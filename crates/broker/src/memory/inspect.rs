use std::collections::BTreeMap;

use async_trait::async_trait;
use cardoon_core::rescue::UserCode;
use cardoon_core::{BootInstant, Page, Position, QueueName, TaskFilter, TaskId, Timestamp, VERSION};
use cardoon_errors::Result;

use super::MemoryBroker;
use super::store::{Entry, Holding, Store};
use crate::{Inspect, Member, Place, Publish, QueueStats, Waiting};

#[async_trait]
impl Inspect for MemoryBroker {
    async fn queues(&self) -> Result<Vec<QueueStats>> {
        Ok(self.store()?.stats(self.now()))
    }

    async fn peek(&self, queue: &QueueName, limit: usize) -> Result<Vec<Waiting>> {
        let store = self.store()?;
        let ready = store.ready.get(queue).into_iter().flat_map(BTreeMap::values);
        let delayed = store.delayed.values().filter(|entry| entry.publish.queue == *queue);
        Ok(ready.chain(delayed).take(limit).map(waiting).collect())
    }

    async fn locate(&self, id: &TaskId) -> Result<Option<(Waiting, Place)>> {
        Ok(self.store()?.places().find(|(entry, _)| entry.publish.message.id == *id).map(described))
    }

    async fn waiting(
        &self,
        filter: &TaskFilter,
        after: Option<&Position>,
        limit: usize,
    ) -> Result<Page<(Waiting, Place)>> {
        let store = self.store()?;
        let after = after.map_or(0, |after| after.number as u64);
        let mut found: Vec<_> = store.places().collect();
        found.retain(|(entry, place)| {
            let Publish { message, queue, .. } = &entry.publish;
            entry.tag > after
                && filter.admits_waiting(message, queue, place.state(message), entry.enqueued_at)
        });
        found.sort_by_key(|(entry, _)| entry.tag);
        found.truncate(limit.saturating_add(1));
        Ok(Page::of(found, limit, |(entry, _)| Position::of(entry.tag as i64)).map(described))
    }

    async fn purge(&self, queue: &QueueName) -> Result<u64> {
        Ok(self.store()?.purge(queue))
    }

    async fn members(&self) -> Result<Vec<Member>> {
        Ok(self.store()?.members(self.clock().boot()))
    }

    async fn may_have_strangers(&self) -> Result<bool> {
        Ok(false)
    }
}

impl Store {
    /// All messages that are not dead, with their places.
    fn places(&self) -> impl Iterator<Item = (&Entry, Place)> {
        let ready = self.ready.values().flat_map(BTreeMap::values).map(|entry| (entry, Place::Ready));
        let delayed =
            self.delayed.iter().map(|((until, _), entry)| (entry, Place::Delayed { until: *until }));
        let held = self.held.values().map(|holding| (&holding.entry, self.held_place(holding)));
        ready.chain(delayed).chain(held)
    }

    fn held_place(&self, holding: &Holding) -> Place {
        let holder = self.sessions.get(&holding.lease.session);
        let worker = holder.map_or_else(String::new, |session| session.spec.worker.clone());
        Place::Held { worker, started: holding.code == UserCode::Running }
    }

    fn stats(&self, now: Timestamp) -> Vec<QueueStats> {
        let mut queues = BTreeMap::new();
        for (entry, place) in self.places() {
            let stats = of_queue(&mut queues, &entry.publish.queue);
            match place {
                Place::Ready => {
                    stats.ready += 1;
                    stats.oldest = stats.oldest.max(Some(now.since(entry.enqueued_at)));
                }
                Place::Delayed { .. } => stats.delayed += 1,
                Place::Held { .. } => stats.held += 1,
            }
        }
        for letter in self.dead.values() {
            of_queue(&mut queues, &letter.queue).dead += 1;
        }
        for queue in self.living().flat_map(|(_, session)| &session.spec.queues) {
            of_queue(&mut queues, queue).workers += 1;
        }
        for queue in &self.paused {
            of_queue(&mut queues, queue).paused = true;
        }
        queues.into_values().collect()
    }

    fn living(&self) -> impl Iterator<Item = (u64, &super::store::Session)> {
        self.sessions.iter().filter(|(_, session)| !session.dead).map(|(id, session)| (*id, session))
    }

    fn members(&self, now: BootInstant) -> Vec<Member> {
        let held = |id| self.held.values().filter(|holding| holding.lease.session == id).count() as u64;
        let member = |(id, session): (u64, &super::store::Session)| Member {
            worker: session.spec.worker.clone(),
            session: id,
            queues: session.spec.queues.clone(),
            tasks: session.spec.tasks.clone(),
            slots: session.spec.slots,
            held: held(id),
            since: session.since,
            pid: std::process::id(),
            heartbeat_age: now.since(session.beat),
            version: VERSION.into(),
        };
        self.living().map(member).collect()
    }
}

fn of_queue<'m>(queues: &'m mut BTreeMap<QueueName, QueueStats>, queue: &QueueName) -> &'m mut QueueStats {
    queues.entry(queue.clone()).or_insert_with(|| QueueStats::none(queue.clone()))
}

fn described((entry, place): (&Entry, Place)) -> (Waiting, Place) {
    (waiting(entry), place)
}

fn waiting(entry: &Entry) -> Waiting {
    Waiting {
        queue: entry.publish.queue.clone(),
        message: entry.publish.message.clone(),
        enqueued_at: entry.enqueued_at,
        deaths: entry.deaths,
        redelivered: entry.redelivered,
    }
}
