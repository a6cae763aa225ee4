//! Tests of connections on which nothing is asked, only told: one that leads nowhere is as quiet as one that has nothing to
//! tell.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, Value};

use super::{Era, Wire};
use crate::failure;
use crate::keys;

/// An answer that takes longer is a reason to look whether others get one.
const PATIENCE: Duration = Duration::from_millis(1500);

/// How long a fresh connection is tried for, and how long the answer is waited for when it stands.
const PROBE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(1);

/// Between two tries to reach the server, of which the first one may be refused at once.
const PAUSE: Duration = Duration::from_millis(200);

impl Wire {
    /// Tests a connection until it is of no more use. If the server answers on others and not on this one, or is a replica
    /// now, all connections of its era are left.
    pub(crate) async fn watch_over(
        self: &Arc<Self>,
        connection: &MultiplexedConnection,
        era: &Era,
        every: Duration,
    ) {
        loop {
            tokio::select! {
                () = era.over() => return,
                () = self.clock.sleep(every) => {}
            }
            match self.test(connection.clone()).await {
                Some(Ok(Value::ServerError(error))) if failure::is_read_only(&error) => {
                    return self.leave(era);
                }
                Some(Ok(_)) => {}
                Some(Err(_)) => return,
                None => return self.leave(era),
            }
        }
    }

    /// The answer to a test; `None` if the connection leads nowhere. A server that answers nobody is waited for: it may be
    /// busy, and then all connections are as good as before.
    async fn test(self: &Arc<Self>, mut connection: MultiplexedConnection) -> Option<RedisResult<Value>> {
        let test = write_nothing();
        let answer = connection.send_packed_command(&test);
        tokio::pin!(answer);
        if let Some(answer) = self.within(PATIENCE, &mut answer).await {
            return Some(answer);
        }
        tokio::select! {
            biased;
            answer = &mut answer => return Some(answer),
            () = self.is_reachable() => {}
        }
        self.within(GRACE, answer).await
    }

    /// Waits until the server answers on a fresh connection.
    async fn is_reachable(self: &Arc<Self>) {
        while self.dial(Arc::new(|_| ()), PROBE).await.is_err() {
            self.clock.sleep(PAUSE).await;
        }
    }
}

/// Changes nothing, but is refused where nothing may be changed.
fn write_nothing() -> Cmd {
    let mut command = redis::cmd("DEL");
    command.arg(keys::NOTHING);
    command
}
