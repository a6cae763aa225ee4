//! Heartbeats: from the thread that asks for them, over a connection of their own, so that nothing else delays them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_errors::{Applied, Code, Error, Result};
use redis::{Cmd, ConnectionLike, Value};

use super::Session;
use crate::failure;
use crate::keys;
use crate::link::Era;

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
        let (mut connection, era) = match slot.take().filter(|(_, era)| !era.is_over()) {
            Some(open) => open,
            None => {
                let era = wire.era();
                (wire.dial_blocking(limit(session))?, era)
            }
        };
        let answer = ask(session, &mut connection)?;
        match answer {
            Value::Int(answer) => {
                *slot = Some((connection, era));
                Ok((answer == 1).then(|| before.plus(session.spec.terms.lease)))
            }
            // The next beat takes a fresh connection: after a failover another server is the primary.
            Value::ServerError(error) => {
                if failure::is_read_only(&error) {
                    wire.leave(&era);
                }
                Err(failure::of_server(&error, &wire.location))
            }
            _ => Err(failure::nonsense("a heartbeat")),
        }
    }
}

fn limit(session: &Session) -> Duration {
    session.spec.terms.heartbeat.clamp(Duration::from_millis(100), LONGEST)
}

fn ask(session: &Session, connection: &mut redis::Connection) -> Result<Value> {
    let script = &session.shared.scripts.beat;
    let answer = send(session, connection, &call("EVALSHA", &script.hash, session))?;
    match answer {
        Value::ServerError(error) if error.code() == "NOSCRIPT" => {
            send(session, connection, &call("EVAL", &script.text, session))
        }
        answer => Ok(answer),
    }
}

fn call(command: &str, script: &str, session: &Session) -> Cmd {
    let number = session.number();
    let mut call = redis::cmd(command);
    call.arg(script).arg(2).arg(keys::session(number)).arg(keys::BEATS).arg(number);
    call
}

fn send(session: &Session, connection: &mut redis::Connection, command: &Cmd) -> Result<Value> {
    match connection.req_packed_command(&command.get_packed_command()) {
        Ok(answer) => Ok(answer),
        Err(error) if error.code() == Some("NOSCRIPT") => {
            let script = &session.shared.scripts.beat;
            let again =
                connection.req_packed_command(&call("EVAL", &script.text, session).get_packed_command());
            again.map_err(|error| failure::of_client(error, &session.shared.wire.location))
        }
        Err(error) => Err(failure::of_client(error, &session.shared.wire.location)),
    }
}

/// The session is over: others took it for dead.
pub(crate) fn over() -> Error {
    Error::new(Code::LeaseLost, "others took this worker for dead; it joins again").applied(Applied::No)
}
