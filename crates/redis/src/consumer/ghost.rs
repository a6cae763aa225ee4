//! The connection before the present one, if the server has not learned of its end: while it counts as a sign of life,
//! the death of this consumer is seen only when its lease lapses.

use std::sync::atomic::{AtomicI64, Ordering};

use redis::Value;
use redis::aio::MultiplexedConnection;

use crate::link::text;

/// The number that the server gave to the last connection; 0 if none is known.
#[derive(Debug, Default)]
pub(crate) struct Ghost(AtomicI64);

impl Ghost {
    /// Ends the connection before this one, which is called `name` and has this `number`. Who may not do that lives with
    /// the ghost.
    pub(crate) async fn lay(&self, connection: &mut MultiplexedConnection, name: &str, number: i64) {
        let before = self.0.swap(number, Ordering::Relaxed);
        if before == 0 || before == number || !is_called(connection, before, name).await {
            return;
        }
        let mut kill = redis::cmd("CLIENT");
        kill.arg("KILL").arg("ID").arg(before);
        if let Ok(Value::Int(1)) = connection.send_packed_command(&kill).await {
            tracing::debug!("ended the connection before this one, which the server had taken for alive");
        }
    }
}

/// At another server the number may be that of a stranger's connection.
async fn is_called(connection: &mut MultiplexedConnection, number: i64, name: &str) -> bool {
    let mut look = redis::cmd("CLIENT");
    look.arg("LIST").arg("ID").arg(number);
    let Ok(answer) = connection.send_packed_command(&look).await else { return false };
    let about = text(answer, "CLIENT LIST").unwrap_or_default();
    about.split_whitespace().any(|word| word.strip_prefix("name=") == Some(name))
}
