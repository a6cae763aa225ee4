//! The connection by which a consumer hears of changes, and by which others see that it lives.
//!
//! It is subscribed to a channel of the consumer's own: the server counts its subscribers, and stops to count them in the
//! moment in which it learns that the connection has ended. And the server tells it, once, when a key changes that it has
//! looked at, whoever changed it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cardoon_core::{BootInstant, TaskId};
use cardoon_errors::{Code, Result};
use cardoon_runtime::Clock;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Session;
use super::ghost::Ghost;
use crate::failure;
use crate::keys;
use crate::link::{Era, Patience, Pushes, bytes, int, items};
use crate::operations::revoke;

/// Between two tests whether the connection still answers.
const TEST_EVERY: Duration = Duration::from_secs(1);

/// Whoever loses the server finds it again within this time after it is back.
const RETURN: Duration = Duration::from_secs(5);

#[derive(Default)]
pub(crate) struct Watcher {
    connection: Mutex<Option<(MultiplexedConnection, Era)>>,
    /// The number of the session that the connection is a sign of life of; 0 if of none.
    signs: watch::Sender<Option<u64>>,
    /// The number of the session that it shall be a sign of life of next, if not the session's own.
    wanted: Mutex<Option<u64>>,
    is_deaf: AtomicBool,
    /// When the connection was lost last, in milliseconds of the boot-time clock; 0 if never.
    lost_at: AtomicU64,
    renewed: Mutex<CancellationToken>,
    /// The places of the lists that are paused, as far as the last claim knows. Looks go past them.
    paused: Mutex<BTreeSet<usize>>,
    ghost: Ghost,
}

/// What lay in the lists and the delayed store when they were looked at. Changes since then ring the bell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub(crate) is_something_ready: bool,
    /// When the next delayed message is due.
    pub(crate) due: Option<i64>,
}

impl Watcher {
    /// Waits until the connection is a sign of life of session `number`, at most `limit`.
    pub(crate) async fn is_signed(&self, number: u64, clock: &Clock, limit: Duration) -> bool {
        let mut signs = self.signs.subscribe();
        tokio::select! {
            signed = signs.wait_for(|signed| signed.is_some_and(|signed| signed == number || signed == 0)) => {
                signed.is_ok_and(|signed| *signed == Some(number))
            }
            () = clock.sleep(limit) => false,
        }
    }

    /// Makes the connection a sign of life of session `number`.
    pub(crate) fn renew(&self, number: u64) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) = Some(number);
        self.signs.send_replace(None);
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).cancel();
    }

    /// Whether there is no connection, or has not been one until just now. Others may have lost theirs too, and look for
    /// the server.
    pub(crate) fn was_lost(&self, now: BootInstant) -> bool {
        let lost_at = self.lost_at.load(Ordering::Relaxed);
        lost_at != 0 && now.since(BootInstant(lost_at)) < RETURN
    }

    fn lose(&self, now: BootInstant) {
        self.lost_at.store(now.0, Ordering::Relaxed);
        *self.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.signs.send_replace(None);
    }

    /// Whether the server does not tell of changes.
    pub(crate) fn is_deaf(&self) -> bool {
        self.is_deaf.load(Ordering::Relaxed)
    }

    /// From now on looks go past these lists. Answers whether they went past others before.
    pub(crate) fn go_past(&self, paused: BTreeSet<usize>) -> bool {
        let mut known = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, paused) != *known
    }

    fn lists_in_use(&self, lists: &[Arc<str>]) -> Vec<Arc<str>> {
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        let is_in_use = |(place, _): &(usize, &Arc<str>)| !paused.contains(place);
        lists.iter().enumerate().filter(is_in_use).map(|(_, list)| Arc::clone(list)).collect()
    }

    /// Looks at the lists; the next change of one of them, of the delayed store or of the pauses rings. `None` while there is no
    /// connection; when there is one again, the bell rings.
    pub(crate) async fn look(&self, session: &Session) -> Option<Look> {
        let (mut connection, era) = self.connection.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let mut pipeline = redis::pipe();
        let exists = pipeline.cmd("EXISTS").arg(keys::NOTHING);
        for list in self.lists_in_use(&session.lists) {
            exists.arg(&*list);
        }
        pipeline.cmd("ZRANGE").arg(keys::DELAYED).arg(0).arg(0).arg("WITHSCORES");
        // So that the end of a pause rings.
        pipeline.cmd("EXISTS").arg(keys::PAUSED);
        let wire = &session.shared.wire;
        let answers = tokio::select! {
            answers = connection.send_packed_commands(&pipeline, 0, 3) => answers,
            () = era.over() => return None,
            () = wire.clock.sleep(wire.limit) => return None,
        };
        let mut answers = answers.ok()?.into_iter();
        let count = int(&answers.next()?, "EXISTS").ok()?;
        Some(Look { is_something_ready: count > 0, due: score(answers.next()?) })
    }
}

/// The score of the first member, in either form of the answer.
fn score(answer: Value) -> Option<i64> {
    let first = items(answer, "ZRANGE").ok()?;
    match first.into_iter().next()? {
        Value::Array(pair) => int(pair.get(1)?, "ZRANGE").ok(),
        _ => None,
    }
}

/// Keeps the connection up until the session ends.
pub(crate) async fn watch(session: Arc<Session>) -> Result<()> {
    let wire = &session.shared.wire;
    let mut patience = Patience::default();
    // It may be better than it seemed, and then it is a sign of life until the next one is.
    let mut before = None;
    while !session.ended.is_cancelled() {
        let gone = CancellationToken::new();
        *session.watcher.renewed.lock().unwrap_or_else(PoisonError::into_inner) = gone.clone();
        let era = wire.era();
        let connected = tokio::select! {
            connected = connect(&session, &gone, &era, patience.dial()) => connected,
            () = session.ended.cancelled() => return Ok(()),
        };
        match connected {
            Ok(connection) => {
                patience = Patience::default();
                drop(before.replace(connection.clone()));
                tokio::select! {
                    () = gone.cancelled() => {}
                    () = session.ended.cancelled() => {}
                    () = wire.watch_over(&connection, &era, TEST_EVERY) => {}
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the connection that hears of changes is down");
                wire.clock.sleep(patience.pause()).await;
            }
        }
        session.watcher.lose(wire.clock.boot());
        // Another server, or one that lost its last second, may know of deliveries that were settled.
        session.is_unsure.store(true, Ordering::Release);
    }
    Ok(())
}

async fn connect(
    session: &Arc<Session>,
    gone: &CancellationToken,
    era: &Era,
    limit: Duration,
) -> Result<MultiplexedConnection> {
    let wire = &session.shared.wire;
    let connection = wire.dial(pushes(session, gone), limit).await?;
    let prepared = wire.within(limit, prepare(session, connection, era)).await;
    let connection = prepared.unwrap_or_else(|| Err(failure::no_answer(&wire.location)))?;
    session.ring();
    catch_up(session).await?;
    Ok(connection)
}

/// What to do with what the server tells.
fn pushes(session: &Arc<Session>, gone: &CancellationToken) -> Pushes {
    let (session, gone) = (Arc::downgrade(session), gone.clone());
    Arc::new(move |info: PushInfo| {
        let Some(session) = session.upgrade() else { return };
        match info.kind {
            PushKind::Invalidate => session.ring(),
            PushKind::Disconnection => gone.cancel(),
            PushKind::Message => session.hear_of_revokes(revoked_id(info.data)),
            _ => {}
        }
    })
}

fn revoked_id(mut data: Vec<Value>) -> Option<TaskId> {
    let payload = bytes(data.pop()?)?;
    TaskId::new(std::str::from_utf8(&payload).ok()?).ok()
}

/// Makes a fresh connection hear, and a sign of life.
async fn prepare(
    session: &Session,
    mut connection: MultiplexedConnection,
    era: &Era,
) -> Result<MultiplexedConnection> {
    let location = &session.shared.wire.location;
    let number =
        session.watcher.wanted.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(session.number());
    let name = format!("cardoon:{number}");
    let mut pipeline = redis::pipe();
    pipeline.cmd("CLIENT").arg("SETNAME").arg(&name);
    pipeline.cmd("CLIENT").arg("TRACKING").arg("ON");
    pipeline.cmd("CLIENT").arg("ID");
    let answers = connection.send_packed_commands(&pipeline, 0, 3).await;
    let answers = answers.map_err(|error| failure::of_client(error, location))?;
    let is_deaf = matches!(answers.get(1), Some(Value::ServerError(_)));
    if is_deaf && !session.watcher.is_deaf.swap(is_deaf, Ordering::Relaxed) {
        tracing::warn!(
            "the server does not let us hear of changes (CLIENT TRACKING); looking twice a second instead"
        );
    }
    let channels = session.shared.channels;
    let subscribed: RedisResult<()> =
        connection.subscribe(&[channels.revokes(), format!("{}{number}", channels.alive())]).await;
    let signed = match subscribed.map_err(|error| failure::of_client(error, location)) {
        Ok(()) => number,
        // The user may not subscribe: no sign of life, but what else the connection is for goes on.
        Err(error) if error.code() == Code::RedisDenied => 0,
        Err(error) => return Err(error),
    };
    let open = (connection.clone(), era.clone());
    *session.watcher.connection.lock().unwrap_or_else(PoisonError::into_inner) = Some(open);
    session.watcher.signs.send_replace(Some(signed));
    if let Some(Value::Int(number)) = answers.get(2) {
        session.watcher.ghost.lay(&mut connection, &name, *number).await;
    }
    Ok(connection)
}

/// Hears of the revokes that were told while there was no connection.
async fn catch_up(session: &Session) -> Result<()> {
    let ids: Vec<TaskId> = session.holdings().values().map(|holding| holding.id.clone()).collect();
    let revoked = revoke::are_revoked(&session.shared.main, &ids).await?;
    session.hear_of_revokes(ids.into_iter().zip(revoked).filter(|(_, revoked)| *revoked).map(|(id, _)| id));
    Ok(())
}
