//! Those of this process who wait for results, and the one connection on which the server tells of them.
//!
//! Whoever writes a result publishes it on the channel that is named as its key. A waiter joins, the channel is subscribed
//! to, and only then the key is read, so that nothing falls between.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{ResultRecord, TaskId};
use cardoon_errors::Result;
use cardoon_protocol::celery_result;
use cardoon_runtime::ServiceKind;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, RedisResult, Value};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use crate::failure;
use crate::keys;
use crate::link::{Patience, Pushes, bytes, items};
use crate::store::Shared;

/// Tasks that are subscribed to and read in one step.
const PAGE: usize = 512;

/// Between two tests whether the connection still answers.
const TEST_EVERY: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Follower {
    state: Mutex<State>,
    changed: Arc<Notify>,
    /// Nobody can wait any more.
    pub(crate) over: CancellationToken,
}

#[derive(Default)]
struct State {
    waiting: HashMap<TaskId, Waiting>,
    /// Not subscribed to yet.
    fresh: Vec<TaskId>,
    /// Nobody waits for them any more.
    left: Vec<TaskId>,
    is_running: bool,
    last_number: u64,
}

#[derive(Default)]
struct Waiting {
    tell: Vec<(u64, oneshot::Sender<Result<ResultRecord>>)>,
}

/// A place among the waiters; leaves it when dropped.
pub(crate) struct Waiter {
    shared: Weak<Shared>,
    id: TaskId,
    number: u64,
    pub(crate) ended: oneshot::Receiver<Result<ResultRecord>>,
}

impl Follower {
    /// Waits for the end of task `id`.
    pub(crate) fn join(&self, shared: &Arc<Shared>, id: &TaskId) -> Waiter {
        let (tell, ended) = oneshot::channel();
        let mut state = self.state();
        state.last_number += 1;
        let number = state.last_number;
        let waiting = state.waiting.entry(id.clone()).or_default();
        waiting.tell.push((number, tell));
        // Also one that others wait for already is read anew: its result may be older than their subscription.
        state.fresh.push(id.clone());
        if !std::mem::replace(&mut state.is_running, true) {
            shared.wire.spawn(ServiceKind::StoreListener, follow(Arc::downgrade(shared)));
        }
        drop(state);
        self.changed.notify_one();
        Waiter { shared: Arc::downgrade(shared), id: id.clone(), number, ended }
    }

    /// Tells those who wait for the task of this result, if it is a final one, or if it cannot be read.
    fn tell(&self, id: &TaskId, json: &[u8]) {
        let end = match celery_result::read(json) {
            Ok(Some(record)) if record.state.is_final() => Ok(record),
            Ok(_) => return,
            Err(error) => Err(error.checked(format!("the task is {id}"))),
        };
        let mut state = self.state();
        let Some(waiting) = state.waiting.remove(id) else { return };
        state.left.push(id.clone());
        drop(state);
        self.changed.notify_one();
        for (_, tell) in waiting.tell {
            // Who does not wait any more does not need to know.
            let _ = tell.send(end.clone());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all_are_fresh(&self) {
        let mut state = self.state();
        state.fresh = state.waiting.keys().cloned().collect();
        state.left.clear();
    }

    /// Some that are to be subscribed to, and some that are not any more.
    fn next_page(&self) -> (Vec<TaskId>, Vec<TaskId>) {
        let mut state = self.state();
        let count = state.fresh.len().min(PAGE);
        let mut fresh: Vec<TaskId> = state.fresh.drain(..count).collect();
        fresh.retain(|id| state.waiting.contains_key(id));
        let count = state.left.len().min(PAGE);
        let mut left: Vec<TaskId> = state.left.drain(..count).collect();
        left.retain(|id| !state.waiting.contains_key(id));
        (fresh, left)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.follower.state();
        let Some(waiting) = state.waiting.get_mut(&self.id) else { return };
        waiting.tell.retain(|(number, _)| *number != self.number);
        if waiting.tell.is_empty() {
            state.waiting.remove(&self.id);
            state.left.push(self.id.clone());
            drop(state);
            shared.follower.changed.notify_one();
        }
    }
}

/// Keeps the connection up while there is a store that is open.
async fn follow(shared: Weak<Shared>) -> Result<()> {
    let mut patience = Patience::default();
    loop {
        let Some(shared) = shared.upgrade() else { return Ok(()) };
        if shared.check().is_err() || shared.follower.over.is_cancelled() {
            return Ok(());
        }
        let gone = CancellationToken::new();
        let era = shared.wire.era();
        match shared.wire.dial(pushes(&shared, &gone), patience.dial()).await {
            Ok(connection) => {
                patience = Patience::default();
                shared.follower.all_are_fresh();
                let wire = Arc::clone(&shared.wire);
                let served = tokio::select! {
                    served = serve(shared, connection.clone(), &gone) => served,
                    () = wire.watch_over(&connection, &era, TEST_EVERY) => Err(failure::no_answer(&wire.location)),
                };
                if let Err(error) = served {
                    tracing::debug!(%error, "the connection that tells of results is down");
                }
            }
            Err(error) => {
                tracing::debug!(%error, "the connection that tells of results cannot be opened");
                shared.wire.clock.sleep(patience.pause()).await;
            }
        }
    }
}

fn pushes(shared: &Arc<Shared>, gone: &CancellationToken) -> Pushes {
    let (shared, gone) = (Arc::downgrade(shared), gone.clone());
    Arc::new(move |info: PushInfo| match info.kind {
        PushKind::Message => {
            let mut parts = info.data.into_iter().filter_map(bytes);
            let (channel, json) = (parts.next(), parts.next());
            let id = channel.and_then(|channel| keys::task_of_result(&channel));
            if let (Some(shared), Some(id), Some(json)) = (shared.upgrade(), id, json) {
                shared.follower.tell(&id, &json);
            }
        }
        PushKind::Disconnection => gone.cancel(),
        _ => {}
    })
}

/// Subscribes, reads and tells until the connection is gone.
async fn serve(
    shared: Arc<Shared>,
    mut connection: MultiplexedConnection,
    gone: &CancellationToken,
) -> Result<()> {
    let changed = Arc::clone(&shared.follower.changed);
    loop {
        loop {
            let (fresh, left) = shared.follower.next_page();
            if fresh.is_empty() && left.is_empty() {
                break;
            }
            let exchanged =
                shared.wire.within(shared.wire.limit, exchange(&mut connection, &fresh, &left)).await;
            let results = exchanged.unwrap_or_else(|| Ok(Err(failure::no_answer(&shared.wire.location))));
            let results = results.map_err(|error| failure::of_client(error, &shared.wire.location))??;
            for (id, json) in fresh.iter().zip(&results) {
                if let Some(json) = json {
                    shared.follower.tell(id, json);
                }
            }
        }
        tokio::select! {
            () = changed.notified() => {}
            () = gone.cancelled() => return Ok(()),
            () = shared.closing().cancelled() => return Ok(()),
            () = shared.follower.over.cancelled() => return Ok(()),
        }
    }
}

/// Subscribes to the results of `fresh`, then reads them; leaves those of `left`.
async fn exchange(
    connection: &mut MultiplexedConnection,
    fresh: &[TaskId],
    left: &[TaskId],
) -> RedisResult<Result<Vec<Option<Bytes>>>> {
    let names = |ids: &[TaskId]| ids.iter().map(keys::result).collect::<Vec<_>>();
    if !left.is_empty() {
        connection.unsubscribe(names(left)).await?;
    }
    if fresh.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let mut reader = connection.clone();
    let mut command = redis::cmd("MGET");
    command.arg(names(fresh));
    // Both are sent together: what is read was written before the subscription, or is told by it.
    let (subscribed, read) =
        tokio::join!(biased; connection.subscribe(names(fresh)), reader.send_packed_command(&command));
    subscribed?;
    match read? {
        Value::ServerError(error) => Ok(Err(failure::of_server(&error, "the server"))),
        answer => Ok(items(answer, "MGET").map(|values| values.into_iter().map(bytes).collect())),
    }
}
