use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_errors::{Applied, Code, Error, Result};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Mutex;

use super::Wire;
use crate::failure;
use crate::scripts::Script;

/// The pauses between tries to connect: 20 ms, doubled up to 500 ms.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// One connection that many callers share, renewed when it breaks. Operations of one lane do not wait for those of
/// another one.
pub(crate) struct Lane {
    wire: Arc<Wire>,
    live: Mutex<Option<Live>>,
}

#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    gone: Arc<AtomicBool>,
}

impl Lane {
    pub(crate) fn new(wire: &Arc<Wire>) -> Self {
        Self { wire: Arc::clone(wire), live: Mutex::default() }
    }

    /// Connects, with one try.
    pub(crate) async fn connect(&self) -> Result<()> {
        let mut live = self.live.lock().await;
        if live.as_ref().is_none_or(Live::is_gone) {
            *live = Some(self.dial().await?);
        }
        Ok(())
    }

    /// The answer to a command.
    pub(crate) async fn ask(&self, command: &Cmd) -> Result<Value> {
        let answer = self.exchange(async |connection| connection.send_packed_command(command).await).await?;
        self.checked(answer)
    }

    /// The answers to several commands that are sent together. Each answer may be an error.
    pub(crate) async fn ask_all(&self, pipeline: &Pipeline) -> Result<Vec<Result<Value>>> {
        let count = pipeline.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let send = async |connection: &mut MultiplexedConnection| {
            connection.send_packed_commands(pipeline, 0, count).await
        };
        let answers = self.exchange(send).await?;
        Ok(answers.into_iter().map(|answer| self.checked(answer)).collect())
    }

    /// The answers, or the first error among them.
    pub(crate) async fn ask_each(&self, pipeline: &Pipeline) -> Result<Vec<Value>> {
        self.ask_all(pipeline).await?.into_iter().collect()
    }

    /// The answer of a script. `prepare` adds the number of keys, the keys and the arguments.
    pub(crate) async fn call(&self, script: &Script, prepare: impl Fn(&mut Cmd)) -> Result<Value> {
        let mut command = redis::cmd("EVALSHA");
        command.arg(&script.hash);
        prepare(&mut command);
        let answer = self.exchange(async |connection| connection.send_packed_command(&command).await).await?;
        if !is_unknown_script(&answer) {
            return self.checked(answer);
        }
        // The server was restarted, or somebody flushed its scripts. Nothing was done.
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(&script.text);
        self.ask(&load).await?;
        self.ask(&command).await
    }

    async fn exchange<T>(
        &self,
        send: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<T> {
        let end = self.wire.clock.boot().plus(self.wire.limit);
        let mut live = self.live(end).await?;
        let left = end.since(self.wire.clock.boot()).max(FIRST_PAUSE);
        match self.wire.within(left, send(&mut live.connection)).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => {
                if error.is_unrecoverable_error() {
                    live.gone.store(true, Ordering::Relaxed);
                }
                Err(failure::of_client(error, &self.wire.location))
            }
            None => {
                // Whatever comes on it later answers nobody.
                live.gone.store(true, Ordering::Relaxed);
                Err(failure::no_answer(&self.wire.location))
            }
        }
    }

    /// A connection that is not known to be broken, at `end` the latest.
    async fn live(&self, end: BootInstant) -> Result<Live> {
        let clock = &self.wire.clock;
        let connecting = async {
            let mut live = self.live.lock().await;
            let mut pause = FIRST_PAUSE;
            loop {
                if let Some(live) = live.as_ref().filter(|live| !live.is_gone()) {
                    return Ok(live.clone());
                }
                match self.dial().await {
                    Ok(fresh) => *live = Some(fresh),
                    Err(error) if !may_pass(&error) || clock.boot().plus(pause) >= end => return Err(error),
                    Err(_) => {
                        clock.sleep(pause).await;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                    }
                }
            }
        };
        let connected = self.wire.within(end.since(clock.boot()), connecting).await;
        let late = || failure::no_answer(&self.wire.location).applied(Applied::No);
        connected.unwrap_or_else(|| Err(late()))
    }

    async fn dial(&self) -> Result<Live> {
        let gone = Arc::new(AtomicBool::new(false));
        let notice = Arc::clone(&gone);
        let pushes = Arc::new(move |info: PushInfo| {
            if info.kind == PushKind::Disconnection {
                notice.store(true, Ordering::Relaxed);
            }
        });
        let connection = self.wire.dial(pushes).await?;
        Ok(Live { connection, gone })
    }

    fn checked(&self, answer: Value) -> Result<Value> {
        match answer {
            Value::ServerError(error) => {
                let error = failure::of_server(&error, &self.wire.location);
                self.note(&error);
                Err(error)
            }
            answer => Ok(answer),
        }
    }

    /// A server that became a replica is left: another one is the primary now.
    fn note(&self, error: &Error) {
        if error.code() == Code::RedisReadOnly
            && let Ok(live) = self.live.try_lock()
            && let Some(live) = live.as_ref()
        {
            live.gone.store(true, Ordering::Relaxed);
        }
    }
}

impl Live {
    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

fn may_pass(error: &Error) -> bool {
    matches!(error.code(), Code::Unreachable | Code::NoAnswer)
}
