//! Heartbeats: from the thread that asks for them, over a connection of their own, so that nothing else delays them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardoon_broker::Order;
use cardoon_core::BootInstant;
use cardoon_errors::{Applied, Code, Error, Result};
use redis::{Cmd, ConnectionLike, RedisError, Value};

use super::Session;
use crate::failure;
use crate::keys;
use crate::link::{Era, text};

/// A beat that takes longer is given up; the next one takes a fresh connection.
const LONGEST: Duration = Duration::from_secs(2);

#[derive(Default)]
pub(crate) struct Heart {
    connection: Mutex<Option<(redis::Connection, Era)>>,
}

impl Heart {
    /// Renews all leases. Answers until when deliveries may be started, `None` if the session is over.
    pub(crate) fn beat(&self, session: &Session) -> Result<Option<BootInstant>> {
        let wire = &session.shared.wire;
        let before = wire.clock.boot();
        let mut slot = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let open = slot.take().filter(|(_, era)| !era.is_over()).map_or_else(|| dial(session), Ok);
        let (mut connection, era) = open?;
        match ask(session, &mut connection) {
            Ok(answer) => {
                *slot = Some((connection, era));
                let order = match answer {
                    Value::Int(0) => return Ok(None),
                    Value::Int(_) => None,
                    order => Order::parse(&text(order, "a heartbeat")?),
                };
                session.hear_of_order(order);
                Ok(Some(before.plus(session.spec.terms.lease)))
            }
            Err(error) => {
                // The next beat takes a fresh connection: after a failover another server is the primary.
                if error.code() == Code::RedisReadOnly {
                    wire.leave(&era);
                }
                Err(error)
            }
        }
    }
}

fn dial(session: &Session) -> Result<(redis::Connection, Era)> {
    let wire = &session.shared.wire;
    let era = wire.era();
    Ok((wire.dial_blocking(limit(session))?, era))
}

fn limit(session: &Session) -> Duration {
    session.spec.terms.heartbeat.clamp(Duration::from_millis(100), LONGEST)
}

fn ask(session: &Session, connection: &mut redis::Connection) -> Result<Value> {
    let script = &session.shared.scripts.beat;
    let location = &session.shared.wire.location;
    let sent = |connection: &mut redis::Connection, command: &Cmd| {
        match connection.req_packed_command(&command.get_packed_command()) {
            // Depending on where it is noticed, the server's error is the answer or an error.
            Ok(Value::ServerError(error)) => Err(RedisError::from(error)),
            answered => answered,
        }
    };
    let answer = match sent(connection, &call("EVALSHA", &script.hash, session)) {
        Err(error) if error.code() == Some("NOSCRIPT") => {
            sent(connection, &call("EVAL", &script.text, session))
        }
        answer => answer,
    };
    answer.map_err(|error| failure::of_client(error, location))
}

fn call(command: &str, script: &str, session: &Session) -> Cmd {
    let number = session.number();
    let mut call = redis::cmd(command);
    call.arg(script).arg(2).arg(keys::session(number)).arg(keys::BEATS).arg(number);
    call
}

/// The session is over: others took it for dead.
pub(crate) fn over() -> Error {
    Error::new(Code::LeaseLost, "others took this worker for dead; it joins again").applied(Applied::No)
}
