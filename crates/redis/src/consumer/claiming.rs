//! Taking messages.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use cardoon_broker::Delivery;
use cardoon_core::{Lease, QueueName, Timestamp};
use cardoon_errors::Result;
use redis::{Cmd, Value};
use tokio::sync::watch;

use super::Session;
use super::watcher::Look;
use crate::envelope::stored_at;
use crate::failure::nonsense;
use crate::keys;
use crate::link::{bytes, int, items};
use crate::operations::messages::Stored;
use crate::operations::settle::Holding;
use crate::operations::{revoke, sessions};

/// Messages that are claimed in one go at most; a larger wish is served in several.
const MOST: usize = 512;
const MOST_BYTES: usize = 8 << 20;

/// Where there is plenty, it is claimed in parts of about this many: the server finds one while the one before is read.
const PART: usize = 128;

/// Between two looks when the server does not tell of changes.
const DEAF: Duration = Duration::from_millis(500);

/// Between two looks for what stands between messages that are left to others, of which each change of a list asks for one.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A due time is never waited for less: the server's clock and ours count from different points in a millisecond.
const TICK: Duration = Duration::from_millis(1);

/// Claims under way. They outlive the call that began them, so a dropped call loses nothing.
#[derive(Default)]
pub(crate) struct Claiming {
    ready: VecDeque<Delivery>,
    /// Each with what it asked for, in the order in which the server gets them.
    under_way: VecDeque<(usize, UnderWay)>,
    /// The last claim got all that it had asked for, so there may be more.
    was_full: bool,
    /// What rang since the last claim was sent, which may be long before somebody waits for it.
    rings: Option<watch::Receiver<u64>>,
}

type UnderWay = Pin<Box<dyn Future<Output = Result<Found>> + Send>>;

/// What a claim found.
struct Found {
    deliveries: Vec<Delivery>,
    /// How long until the next delayed message is due, if the lists were looked at.
    due: Option<Duration>,
    /// A list holds something after all.
    is_something_ready: bool,
}

impl Claiming {
    /// Takes up to `max` deliveries; waits until there is one.
    pub(crate) async fn claim(&mut self, session: &Arc<Session>, max: usize) -> Result<Vec<Delivery>> {
        loop {
            session.check()?;
            if !self.ready.is_empty() {
                let count = max.min(self.ready.len());
                return Ok(self.ready.drain(..count).collect());
            }
            let found = self.next(session, max).await?;
            let is_done = !found.deliveries.is_empty();
            self.ready.extend(found.deliveries);
            if is_done || found.is_something_ready {
                continue;
            }
            tokio::select! {
                () = rung(self.rings.as_mut()) => {}
                () = wait(session, found.due) => {}
                () = session.ended.cancelled() => {}
                () = session.shared.closing().cancelled() => {}
            }
        }
    }

    /// What the next claim under way finds, or a new one.
    async fn next(&mut self, session: &Arc<Session>, max: usize) -> Result<Found> {
        if self.under_way.is_empty() {
            self.send(session, max.min(MOST));
        }
        let Some((asked, under_way)) = self.under_way.front_mut() else { return Err(nonsense("a claim")) };
        let asked = *asked;
        let found = tokio::select! {
            found = under_way => found,
            () = session.ended.cancelled() => Err(crate::failure::closed()),
            () = session.shared.closing().cancelled() => Err(crate::failure::closed()),
        };
        self.under_way.pop_front();
        self.was_full = found.as_ref().is_ok_and(|found| found.deliveries.len() >= asked);
        found
    }

    fn send(&mut self, session: &Arc<Session>, wish: usize) {
        self.rings = Some(session.rings());
        if !self.was_full || session.is_unsure.load(Ordering::Acquire) {
            let claim = at_home(session, claim_and_look(Arc::clone(session), wish));
            return self.under_way.push_back((wish, claim));
        }
        let part = wish.div_ceil((wish / PART).max(1));
        for start in (0..wish).step_by(part) {
            let asked = part.min(wish - start);
            self.under_way.push_back((asked, at_home(session, claim_part(Arc::clone(session), asked))));
        }
    }
}

/// Claims where the connections live, and makes deliveries of what was taken there too.
fn at_home(session: &Arc<Session>, claim: impl Future<Output = Result<Found>> + Send + 'static) -> UnderWay {
    let found = session.shared.wire.at_home(claim);
    Box::pin(async move { found.await? })
}

/// Waits for the next change.
async fn rung(rings: Option<&mut watch::Receiver<u64>>) {
    if let Some(rings) = rings {
        // The bell is there as long as its session.
        let _ = rings.changed().await;
    }
}

/// Waits until something is due, or it is time for a look without a reason.
async fn wait(session: &Session, due: Option<Duration>) {
    let clock = &session.shared.wire.clock;
    let net = if session.watcher.is_deaf() { Some(DEAF) } else { session.shared.options.safety_net };
    let asked_again = session.left.until_next(clock.boot());
    match due.into_iter().chain(asked_again).map(|wait| wait.max(TICK)).chain(net).min() {
        Some(pause) => clock.sleep(pause).await,
        None => std::future::pending().await,
    }
}

/// Claims one of several parts. There is no look, so before anybody waits another claim makes one.
async fn claim_part(session: Arc<Session>, max: usize) -> Result<Found> {
    // What is amiss is for a claim to repair that is alone.
    let taken = take(&session, max, &session.left.tasks(session.shared.wire.clock.boot())).await?;
    let deliveries = taken.map(|taken| taken.deliveries).unwrap_or_default();
    Ok(Found { deliveries, due: None, is_something_ready: true })
}

/// Claims, and looks at the same time what is to be waited for.
async fn claim_and_look(session: Arc<Session>, max: usize) -> Result<Found> {
    if session.is_unsure.load(Ordering::Acquire) {
        let deliveries = recover(&session).await?;
        if !deliveries.is_empty() {
            return Ok(Found { deliveries, due: None, is_something_ready: true });
        }
    }
    let clock = &session.shared.wire.clock;
    let others = session.left.tasks(clock.boot());
    let (looked, taken) = take_and_look(&session, max, &others).await;
    let taken = taken?;
    if !others.is_empty() && taken.deliveries.is_empty() {
        clock.sleep(LOOK_EVERY).await;
    }
    // A key that is no list counts as something in it, for ever, and so does what is left to others.
    let can_be_emptied = !taken.is_some_wrong && others.is_empty();
    let is_something_ready = looked.is_some_and(|look| look.is_something_ready) && can_be_emptied;
    // The look went past lists that were paused, and nothing would tell of what comes to those that are resumed.
    let is_something_ready = is_something_ready || taken.are_pauses_new;
    let due = looked.and_then(|look: Look| look.due).or(taken.due);
    let due = due.map(|due| Duration::from_millis((due - taken.now).max(0) as u64));
    Ok(Found { deliveries: taken.deliveries, due, is_something_ready })
}

/// Takes, and looks meanwhile. The look is for those who have to wait: what was taken does not wait for it, since it
/// may be on a connection that leads nowhere.
async fn take_and_look(
    session: &Arc<Session>,
    max: usize,
    others: &[(QueueName, String)],
) -> (Option<Look>, Result<Taken>) {
    let mut looking = Box::pin(session.watcher.look(session));
    let mut taking = Box::pin(take_at_last(session, max, others));
    if !others.is_empty() {
        // What is left for others is in the lists for ever, so only a change after the look says that there is more.
        return (looking.await, taking.await);
    }
    tokio::select! {
        taken = &mut taking => match taken {
            Ok(taken) if taken.deliveries.is_empty() => (looking.await, Ok(taken)),
            taken => (None, taken),
        },
        looked = &mut looking => (looked, taking.await),
    }
}

/// What the script of claims answers.
struct Taken {
    deliveries: Vec<Delivery>,
    now: i64,
    due: Option<i64>,
    /// A key that should be a list is none.
    is_some_wrong: bool,
    /// Other lists are paused than those that looks go past.
    are_pauses_new: bool,
}

/// Takes, under a new epoch or as a new session if that is needed.
async fn take_at_last(session: &Arc<Session>, max: usize, others: &[(QueueName, String)]) -> Result<Taken> {
    loop {
        let number = session.number();
        if let Some(taken) = take(session, max, others).await? {
            return Ok(taken);
        }
        // Whoever took this worker for dead has made its claims void, or has removed it altogether.
        session.check()?;
        match sessions::recover(&session.shared, number).await? {
            Some(epoch) => session.epoch.store(epoch, Ordering::Release),
            None => session.rejoin(number).await?,
        }
    }
}

/// `None` if the claim was void.
async fn take(session: &Session, max: usize, others: &[(QueueName, String)]) -> Result<Option<Taken>> {
    // Nobody waits any more for what the session would take after its end.
    session.check()?;
    let (number, epoch) = (session.number(), session.epoch.load(Ordering::Acquire));
    let first = session.next_sequence.fetch_add(max as u64, Ordering::Relaxed);
    let order = order(session);
    let shared = &session.shared;
    let call = |command: &mut Cmd| {
        ask(command, session, number, epoch, max, first, &order);
        leave(command, session, &order, others);
    };
    match shared.claims.call(&shared.scripts.claim, call).await {
        Err(error) => {
            // A script that fails in the middle may have taken something too.
            session.is_unsure.store(true, Ordering::Release);
            Err(error)
        }
        Ok(Value::Nil | Value::Boolean(false)) => Ok(None),
        Ok(answer) => read(session, number, first, answer).await.map(Some),
    }
}

/// The tags of all lists in the order in which they are taken from.
fn order(session: &Session) -> Vec<usize> {
    let queues = session.spec.queues.len().max(1);
    let first = session.turn.load(Ordering::Relaxed) as usize % queues;
    let steps = session.lists.len() / queues;
    (0..queues)
        .flat_map(|queue| (0..steps).map(move |step| (first + queue) % queues * steps + step))
        .collect()
}

fn ask(
    command: &mut Cmd,
    session: &Session,
    number: u64,
    epoch: u64,
    max: usize,
    first: u64,
    order: &[usize],
) {
    command.arg(5 + order.len());
    command.arg(keys::session(number)).arg(keys::held(number)).arg(keys::REVOKED);
    command.arg(keys::DELAYED).arg(keys::DELAYED_MESSAGES);
    for tag in order {
        command.arg(&*session.lists[*tag]);
    }
    command.arg(epoch).arg(max).arg(MOST_BYTES).arg(first);
    for tag in order {
        command.arg(*tag);
    }
}

/// Adds what is to be left in which list.
fn leave(command: &mut Cmd, session: &Session, order: &[usize], others: &[(QueueName, String)]) {
    for (queue, task) in others {
        let texts = texts_of(task);
        for (place, tag) in order.iter().enumerate() {
            if keys::queue_of_tag(&session.spec.queues, *tag as u64) == Some(queue) {
                for text in &texts {
                    command.arg(place + 1).arg(text);
                }
            }
        }
    }
}

/// How an envelope names its task: Celery's JSON has a space after the colon and escapes what is not ASCII, ours does
/// neither.
fn texts_of(task: &str) -> [String; 2] {
    let ours = serde_json::to_string(task).unwrap_or_default();
    let escaped = |unit: u16| match u8::try_from(unit) {
        Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
        _ => format!("\\u{unit:04x}"),
    };
    let theirs: String = ours.encode_utf16().map(escaped).collect();
    [format!("\"task\": {theirs}"), format!("\"task\":{ours}")]
}

async fn read(session: &Session, number: u64, first: u64, answer: Value) -> Result<Taken> {
    let mut values = items(answer, "a claim")?.into_iter();
    let mut next = || values.next().ok_or_else(|| nonsense("a claim"));
    let (now, due) = (int(&next()?, "a claim")?, int(&next()?, "a claim")?);
    let are_some_revoked = int(&next()?, "a claim")? > 0;
    let wrong = usize::try_from(int(&next()?, "a claim")?).ok().and_then(|tag| session.lists.get(tag));
    session.warn_of(wrong);
    let are_pauses_new = session.watcher.go_past(tags(next()?)?);
    let mut deliveries = Vec::new();
    let mut sequence = first;
    while let Some(tag) = values.next() {
        let tag = int(&tag, "a claim")? as u64;
        let count = int(&values.next().unwrap_or_default(), "a claim")?;
        for raw in values.by_ref().take(count as usize) {
            let lease = Lease { session: number, sequence, tag };
            deliveries.extend(delivery(session, lease, bytes(raw).unwrap_or_default(), Timestamp(now)));
            sequence += 1;
        }
    }
    take_turns(session, &deliveries);
    if are_some_revoked {
        mark_revoked(session, &mut deliveries).await?;
    }
    let due = (due >= 0).then_some(due);
    Ok(Taken { deliveries, now, due, is_some_wrong: wrong.is_some(), are_pauses_new })
}

fn tags(answer: Value) -> Result<BTreeSet<usize>> {
    let tags = items(answer, "a claim")?.into_iter().map(|tag| int(&tag, "a claim"));
    tags.map(|tag| tag.map(|tag| tag as usize)).collect()
}

/// The next claim begins with the queue after the last one that was taken from.
fn take_turns(session: &Session, deliveries: &[Delivery]) {
    if let Some(last) = deliveries.last() {
        let queue = session.spec.queues.iter().position(|queue| *queue == last.queue).unwrap_or(0);
        session.turn.store(queue as u64 + 1, Ordering::Relaxed);
    }
}

/// Notes that a message is held, and makes it a delivery.
pub(super) fn delivery(session: &Session, lease: Lease, raw: Bytes, now: Timestamp) -> Option<Delivery> {
    let queue = keys::queue_of_tag(&session.spec.queues, lease.tag)?.clone();
    let list = session.lists.get(lease.tag as usize)?.clone();
    let enqueued_at = stored_at(&raw).unwrap_or(now);
    let Stored { marks, message, .. } = Stored::read(&raw);
    let holding = Holding {
        lease,
        queue: queue.clone(),
        list,
        id: message.id.clone(),
        early: false,
        deaths: marks.deaths,
        raw,
    };
    session.holdings().insert(lease.sequence, Arc::new(holding));
    Some(Delivery {
        lease,
        queue,
        message,
        redelivered: marks.redelivered,
        resent: marks.resent,
        deaths: marks.deaths,
        revoked: false,
        outcome_unknown: marks.unknown,
        enqueued_at,
    })
}

pub(super) async fn mark_revoked(session: &Session, deliveries: &mut [Delivery]) -> Result<()> {
    let lane = &session.shared.claims;
    let revoked = revoke::are_revoked(lane, deliveries.iter().map(|delivery| &delivery.message.id)).await;
    // What was taken is known here now, and must be handed out.
    let revoked = revoked.inspect_err(|_| session.is_unsure.store(true, Ordering::Release));
    if revoked.is_err() {
        session
            .holdings()
            .retain(|_, holding| !deliveries.iter().any(|delivery| delivery.lease == holding.lease));
    }
    for (delivery, revoked) in deliveries.iter_mut().zip(revoked?) {
        delivery.revoked = revoked;
    }
    Ok(())
}

/// After a claim whose answer is missing: makes it void if it is still on its way, and takes over what it took.
async fn recover(session: &Arc<Session>) -> Result<Vec<Delivery>> {
    let number = session.number();
    let Some(epoch) = sessions::recover(&session.shared, number).await? else {
        session.rejoin(number).await?;
        session.is_unsure.store(false, Ordering::Release);
        return Ok(Vec::new());
    };
    session.epoch.store(epoch, Ordering::Release);
    // Before the look and after it: what is settled during it is held no more, and what is taken during it is held now.
    let mut known: HashSet<u64> = session.holdings().keys().copied().collect();
    let hold = sessions::hold(&session.shared.main, number, &session.spec.queues).await?;
    known.extend(session.holdings().keys());
    let now = session.shared.now();
    let unknown = hold.holdings.into_iter().filter(|holding| !known.contains(&holding.lease.sequence));
    let mut deliveries: Vec<Delivery> =
        unknown.filter_map(|holding| delivery(session, holding.lease, holding.raw, now)).collect();
    mark_revoked(session, &mut deliveries).await?;
    session.is_unsure.store(false, Ordering::Release);
    Ok(deliveries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_known_by_the_texts_of_both_sides() {
        assert_eq!(texts_of("a.b"), [r#""task": "a.b""#, r#""task":"a.b""#]);
        assert_eq!(texts_of("邮件😀"), ["\"task\": \"\\u90ae\\u4ef6\\ud83d\\ude00\"", "\"task\":\"邮件😀\""]);
    }
}
