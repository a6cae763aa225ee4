//! What the broker holds, and the moves between its places. Nothing here waits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};

use cardoon_core::lease::{LeaseTerms, Watch};
use cardoon_core::rescue::{self, Loss, Lost, POISON_DEATHS, Rescue, UserCode};
use cardoon_core::settle::{self, Decision, Fate, Held, ReleaseCause, Verdict};
use cardoon_core::{BootInstant, DeadReason, Lease, QueueName, TaskId, Timestamp};

use crate::{
    ConsumeSpec, DeadLetter, Delivery, Order, Publish, Published, Revoked, Settle, Settled, SweepReport,
};

/// Every message is in exactly one of `ready`, `delayed`, `held` and `dead`.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) ready: BTreeMap<QueueName, BTreeMap<Position, Entry>>,
    pub(super) delayed: BTreeMap<(Timestamp, u64), Entry>,
    pub(super) held: BTreeMap<u64, Holding>,
    pub(super) dead: BTreeMap<u64, DeadLetter>,
    pub(super) sessions: BTreeMap<u64, Session>,
    /// Nothing is taken from these queues.
    pub(super) paused: HashSet<QueueName>,
    revoked: HashSet<TaskId>,
    /// The messages that are ready, delayed or held, by task id and attempt.
    present: HashMap<TaskId, Vec<u32>>,
    back: i64,
    front: i64,
    next_tag: u64,
    next_session: u64,
    next_sequence: u64,
}

/// The most urgent first, then by order.
pub(super) type Position = (Reverse<u8>, i64);

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) tag: u64,
    pub(super) publish: Publish,
    pub(super) enqueued_at: Timestamp,
    pub(super) redelivered: bool,
    pub(super) deaths: u32,
    pub(super) outcome_unknown: bool,
}

#[derive(Debug)]
pub(super) struct Holding {
    pub(super) lease: Lease,
    pub(super) early: bool,
    pub(super) code: UserCode,
    pub(super) entry: Entry,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) spec: ConsumeSpec,
    pub(super) since: Timestamp,
    pub(super) beat: BootInstant,
    pub(super) watch: Watch,
    pub(super) dead: bool,
    pub(super) paused: bool,
    /// The queue that the next claim begins with.
    turn: usize,
    /// Held tasks that were revoked and whose holder was not told yet.
    pub(super) to_tell: Vec<TaskId>,
    /// What its worker was not told yet.
    pub(super) order: Option<Order>,
}

impl Store {
    pub(super) fn publish(&mut self, publish: Publish, now: Timestamp) -> Published {
        let Publish { message, .. } = &publish;
        if self.present.get(&message.id).is_some_and(|attempts| attempts.contains(&message.attempt)) {
            return Published::Duplicate;
        }
        self.present.entry(message.id.clone()).or_default().push(message.attempt);
        self.next_tag += 1;
        let tag = self.next_tag;
        let entry =
            Entry { tag, enqueued_at: now, redelivered: false, deaths: 0, outcome_unknown: false, publish };
        self.place(entry, now);
        Published::Stored
    }

    /// To the delayed store if it has to wait, else to the back of its queue.
    fn place(&mut self, entry: Entry, now: Timestamp) {
        let revoked = self.revoked.contains(&entry.publish.message.id);
        match entry.publish.not_before.filter(|due| *due > now && !revoked) {
            Some(due) => drop(self.delayed.insert((due, entry.tag), entry)),
            None => self.push_back(entry),
        }
    }

    fn push_back(&mut self, entry: Entry) {
        self.back += 1;
        self.make_ready(entry, self.back);
    }

    fn push_front(&mut self, entry: Entry) {
        self.front -= 1;
        self.make_ready(entry, self.front);
    }

    fn make_ready(&mut self, entry: Entry, order: i64) {
        let position = (Reverse(entry.publish.message.priority.level()), order);
        self.ready.entry(entry.publish.queue.clone()).or_default().insert(position, entry);
    }

    /// Moves what is due to the back of its queue.
    pub(super) fn promote(&mut self, now: Timestamp) {
        while let Some(first) = self.delayed.first_entry().filter(|first| first.key().0 <= now) {
            let entry = first.remove();
            self.push_back(entry);
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.delayed.keys().next().map(|(due, _)| *due)
    }

    pub(super) fn join(&mut self, spec: ConsumeSpec, now: Timestamp, boot: BootInstant) -> u64 {
        self.next_session += 1;
        let session = Session {
            spec,
            since: now,
            beat: boot,
            watch: Watch::new(boot),
            dead: false,
            paused: false,
            turn: 0,
            to_tell: Vec::new(),
            order: None,
        };
        self.sessions.insert(self.next_session, session);
        self.next_session
    }

    /// Takes up to `max` ready messages, one from each of the session's queues in turn.
    pub(super) fn claim(&mut self, session: u64, max: usize, left: &[(QueueName, String)]) -> Vec<Delivery> {
        let Some(holder) = self.sessions.get(&session) else { return Vec::new() };
        let (queues, mut turn) = (holder.spec.queues.clone(), holder.turn);
        let mut taken = Vec::new();
        let mut empty = 0;
        while taken.len() < max && empty < queues.len() {
            match self.take_first(&queues[turn % queues.len()], left) {
                Some(entry) => {
                    taken.push(self.hold(entry, session));
                    empty = 0;
                }
                None => empty += 1,
            }
            turn += 1;
        }
        if let (Some(holder), false) = (self.sessions.get_mut(&session), queues.is_empty()) {
            holder.turn = turn % queues.len();
        }
        taken
    }

    /// Takes up to `max` delayed messages of the session's queues, the next due first.
    pub(super) fn claim_delayed(&mut self, session: u64, max: usize) -> Vec<(Delivery, Timestamp)> {
        let Some(holder) = self.sessions.get(&session) else { return Vec::new() };
        let is_its = |entry: &Entry| holder.spec.queues.contains(&entry.publish.queue);
        let places = self.delayed.iter().filter(|(_, entry)| is_its(entry)).map(|(place, _)| *place);
        let places: Vec<_> = places.take(max).collect();
        let take = |place| self.delayed.remove(&place).map(|entry| (self.hold(entry, session), place.0));
        places.into_iter().filter_map(take).collect()
    }

    /// Takes the first message of `queue` that is not left to others.
    fn take_first(&mut self, queue: &QueueName, left: &[(QueueName, String)]) -> Option<Entry> {
        let waiting = self.ready.get_mut(queue).filter(|_| !self.paused.contains(queue))?;
        let is_left =
            |entry: &Entry| left.iter().any(|(of, task)| of == queue && *task == entry.publish.message.task);
        let (position, _) = waiting.iter().find(|(_, entry)| !is_left(entry))?;
        let position = *position;
        let entry = waiting.remove(&position)?;
        if waiting.is_empty() {
            self.ready.remove(queue);
        }
        Some(entry)
    }

    fn hold(&mut self, entry: Entry, session: u64) -> Delivery {
        self.next_sequence += 1;
        let lease = Lease { session, sequence: self.next_sequence, tag: entry.tag };
        let delivery = Delivery {
            lease,
            queue: entry.publish.queue.clone(),
            message: entry.publish.message.clone(),
            redelivered: entry.redelivered,
            resent: entry.publish.resent,
            deaths: entry.deaths,
            revoked: self.revoked.contains(&entry.publish.message.id),
            outcome_unknown: entry.outcome_unknown,
            enqueued_at: entry.enqueued_at,
        };
        self.held.insert(entry.tag, Holding { lease, early: false, code: UserCode::NotBegun, entry });
        delivery
    }

    pub(super) fn settle(&mut self, settle: Settle, now: Timestamp) -> Settled {
        let Settle { lease, verdict, follow_ups, .. } = settle;
        let held = self.held.get(&lease.tag).map(Holding::as_held);
        // Results are kept elsewhere, so the run was judged there and the settle closes none here.
        let Decision::Apply { fate, .. } = settle::settle(held, lease, &verdict, None, None) else {
            return Settled::LeaseLost;
        };
        for follow_up in follow_ups {
            self.publish(follow_up, now);
        }
        let detail = if let Verdict::Dead { detail, .. } = verdict { detail } else { String::new() };
        self.apply(lease.tag, fate, detail, now);
        Settled::Done
    }

    fn apply(&mut self, tag: u64, fate: Fate, detail: String, now: Timestamp) {
        let Some(mut holding) = self.held.remove(&tag) else { return };
        match fate {
            Fate::KeepEarly => {
                holding.early = true;
                self.held.insert(tag, holding);
            }
            Fate::Remove => self.leave(&holding.entry),
            Fate::Delay { until, redelivered } => {
                holding.entry.redelivered |= redelivered;
                holding.entry.publish.not_before = Some(until);
                self.place(holding.entry, now);
            }
            Fate::Requeue { deaths, redelivered } => self.requeue(holding.entry, deaths, redelivered),
            Fate::OutcomeUnknown => self.hand_over_unknown(holding.entry),
            Fate::Bury(reason) => self.bury(holding.entry, reason, detail, now),
        }
    }

    fn requeue(&mut self, mut entry: Entry, deaths: u32, redelivered: bool) {
        entry.deaths = deaths;
        entry.redelivered |= redelivered;
        self.push_front(entry);
    }

    /// A consumer takes it once more, to record its end.
    fn hand_over_unknown(&mut self, mut entry: Entry) {
        entry.outcome_unknown = true;
        let deaths = entry.deaths;
        self.requeue(entry, deaths, true);
    }

    fn bury(&mut self, entry: Entry, reason: DeadReason, detail: String, now: Timestamp) {
        self.leave(&entry);
        let Entry { tag, publish, deaths, .. } = entry;
        let letter = DeadLetter {
            message: publish.message,
            queue: publish.queue,
            reason,
            detail,
            deaths,
            died_at: now,
        };
        self.dead.insert(tag, letter);
    }

    /// Forgets that the message is here.
    fn leave(&mut self, entry: &Entry) {
        let message = &entry.publish.message;
        let Some(attempts) = self.present.get_mut(&message.id) else { return };
        attempts.retain(|attempt| *attempt != message.attempt);
        if attempts.is_empty() {
            self.present.remove(&message.id);
        }
    }

    pub(super) fn mark(&mut self, lease: Lease, code: UserCode) {
        if let Some(holding) = self.held.get_mut(&lease.tag).filter(|holding| holding.lease == lease) {
            holding.code = code;
        }
    }

    /// Puts back what dead and silent sessions hold, as `rescuer` sees them.
    pub(super) fn sweep(&mut self, rescuer: u64, boot: BootInstant) -> SweepReport {
        let mut report = SweepReport::default();
        for (session, loss) in self.lost_sessions(rescuer, boot) {
            let leases = self.held_by(session);
            if leases.is_empty() && loss == Loss::Silent {
                continue;
            }
            if let Some(holder) = self.sessions.get(&session) {
                report.lost_workers.push(holder.spec.worker.clone());
            }
            report.requeued.extend(leases.into_iter().rev().filter_map(|lease| self.rescue(lease, loss)));
            if loss == Loss::Died {
                self.sessions.remove(&session);
            }
        }
        report
    }

    fn lost_sessions(&mut self, rescuer: u64, boot: BootInstant) -> Vec<(u64, Loss)> {
        let Some(own) = self.sessions.get_mut(&rescuer) else { return Vec::new() };
        let answering_since = own.watch.answered(boot, &own.spec.terms);
        let loss_of = |session: &Session| {
            let lapsed = || session.has_lapsed(answering_since, boot).then_some(Loss::Silent);
            if session.dead { Some(Loss::Died) } else { lapsed() }
        };
        let others = self.sessions.iter().filter(|(id, _)| **id != rescuer);
        others.filter_map(|(id, session)| loss_of(session).map(|loss| (*id, loss))).collect()
    }

    fn rescue(&mut self, lease: Lease, loss: Loss) -> Option<TaskId> {
        let holding = self.held.remove(&lease.tag)?;
        let Holding { early, code, entry, .. } = holding;
        let id = entry.publish.message.id.clone();
        match rescue::rescue(Lost { loss, code, early, deaths: entry.deaths }) {
            Rescue::Requeue { deaths } => self.requeue(entry, deaths, true),
            Rescue::OutcomeUnknown => self.hand_over_unknown(entry),
            // The consumer that takes it sees the count, records the end and buries it.
            Rescue::Bury(_) => self.requeue(entry, POISON_DEATHS, true),
        }
        Some(id)
    }

    fn held_by(&self, session: u64) -> Vec<Lease> {
        self.held.values().map(|holding| holding.lease).filter(|lease| lease.session == session).collect()
    }

    /// The session hands back what it holds and leaves.
    pub(super) fn leave_session(&mut self, session: u64, now: Timestamp) {
        for lease in self.held_by(session).into_iter().rev() {
            let begun = self.held.get(&lease.tag).is_some_and(|holding| holding.code != UserCode::NotBegun);
            let cause = if begun { ReleaseCause::Interrupted } else { ReleaseCause::Unstarted };
            self.settle(Settle::bare(lease, Verdict::Release { cause }), now);
        }
        self.sessions.remove(&session);
    }

    pub(super) fn revoke(&mut self, id: &TaskId) -> Revoked {
        self.revoked.insert(id.clone());
        let holders: Vec<u64> = self
            .held
            .values()
            .filter(|holding| holding.entry.publish.message.id == *id)
            .map(|holding| holding.lease.session)
            .collect();
        for session in &holders {
            if let Some(holder) = self.sessions.get_mut(session) {
                holder.to_tell.push(id.clone());
            }
        }
        self.stop_waiting(id);
        match (holders.is_empty(), self.present.contains_key(id)) {
            (false, _) => Revoked::Held,
            (true, true) => Revoked::Waiting,
            (true, false) => Revoked::Remembered,
        }
    }

    /// Makes the delayed messages of `id` ready, so that a consumer records their end now.
    fn stop_waiting(&mut self, id: &TaskId) {
        if !self.present.contains_key(id) {
            return;
        }
        let waiting = self.delayed.extract_if(.., |_, entry| entry.publish.message.id == *id);
        for (_, entry) in waiting.collect::<Vec<_>>() {
            self.push_back(entry);
        }
    }

    /// Sends a dead letter again. False if a message of its id is on its way already.
    pub(super) fn redrive(&mut self, tag: u64, now: Timestamp) -> bool {
        let Some(letter) = self.dead.get(&tag) else { return false };
        if self.present.contains_key(&letter.message.id) {
            return false;
        }
        let Some(DeadLetter { mut message, queue, .. }) = self.dead.remove(&tag) else { return false };
        message.attempt = 0;
        self.revoked.remove(&message.id);
        // It ran before, so its next run has to register.
        self.publish(Publish { queue, message, not_before: None, resent: true }, now);
        true
    }

    /// Stores a letter that comes from elsewhere. False if it is there already.
    pub(super) fn bury_moved(&mut self, letter: DeadLetter) -> bool {
        let is_it =
            |other: &DeadLetter| (&other.message.id, other.died_at) == (&letter.message.id, letter.died_at);
        if self.dead.values().any(is_it) {
            return false;
        }
        self.next_tag += 1;
        self.dead.insert(self.next_tag, letter);
        true
    }

    /// Removes what waits in `queue`.
    pub(super) fn purge(&mut self, queue: &QueueName) -> u64 {
        let mut gone: Vec<Entry> =
            self.ready.remove(queue).into_iter().flat_map(BTreeMap::into_values).collect();
        gone.extend(
            self.delayed.extract_if(.., |_, entry| entry.publish.queue == *queue).map(|(_, entry)| entry),
        );
        for entry in &gone {
            self.leave(entry);
        }
        gone.len() as u64
    }
}

impl Holding {
    fn as_held(&self) -> Held {
        Held { lease: self.lease, early: self.early, deaths: self.entry.deaths }
    }
}

impl Session {
    fn has_lapsed(&self, answering_since: BootInstant, now: BootInstant) -> bool {
        self.terms().has_lapsed(self.beat, answering_since, now)
    }

    pub(super) fn terms(&self) -> LeaseTerms {
        self.spec.terms
    }
}
