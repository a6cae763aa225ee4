use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_errors::{Applied, Code, Error, Result};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, PushInfo, PushKind, RedisResult, Value};
use tokio::sync::Mutex;

use super::era::AFTERWARDS;
use super::{Era, Patience, Wire};
use crate::failure;
use crate::scripts::Script;

/// An answer is waited for this long at least, also if connecting has taken all the time that there was.
const LEAST: Duration = Duration::from_millis(20);

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
    era: Era,
}

impl Lane {
    pub(crate) fn new(wire: &Arc<Wire>) -> Self {
        Self { wire: Arc::clone(wire), live: Mutex::default() }
    }

    /// Connects, with one try.
    pub(crate) async fn connect(&self) -> Result<()> {
        let mut live = self.live.lock().await;
        if live.as_ref().is_none_or(Live::is_gone) {
            *live = Some(self.dial(Patience::of_one_try().dial()).await?);
        }
        Ok(())
    }

    /// The answer to a command.
    pub(crate) async fn ask(&self, command: &Cmd) -> Result<Value> {
        let (answer, era) =
            self.exchange(async |connection| connection.send_packed_command(command).await).await?;
        self.checked(answer, &era)
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
        let (answers, era) = self.exchange(send).await?;
        Ok(answers.into_iter().map(|answer| self.checked(answer, &era)).collect())
    }

    /// The answers, or the first error among them.
    pub(crate) async fn ask_each(&self, pipeline: &Pipeline) -> Result<Vec<Value>> {
        self.ask_all(pipeline).await?.into_iter().collect()
    }

    /// The answer of a script. `prepare` adds the number of keys, the keys and the arguments.
    pub(crate) async fn call(&self, script: &Script, prepare: impl Fn(&mut Cmd)) -> Result<Value> {
        let called = |name: &str, script: &str| {
            let mut command = redis::cmd(name);
            command.arg(script);
            prepare(&mut command);
            command
        };
        let command = called("EVALSHA", &script.hash);
        let (answer, era) =
            self.exchange(async |connection| connection.send_packed_command(&command).await).await?;
        if !is_unknown_script(&answer) {
            return self.checked(answer, &era);
        }
        // The server was restarted, or somebody flushed its scripts. Nothing was done. With its text the script is loaded
        // and called in one step, so another flush cannot come between.
        self.ask(&called("EVAL", &script.text)).await
    }

    /// What the server answers, and the era of the connection on which it did.
    async fn exchange<T>(
        &self,
        send: impl AsyncFnOnce(&mut MultiplexedConnection) -> RedisResult<T>,
    ) -> Result<(T, Era)> {
        let end = self.wire.clock.boot().plus(self.wire.limit);
        let Live { mut connection, gone, era } = self.live(end).await?;
        let left = end.since(self.wire.clock.boot()).max(LEAST);
        match self.wire.within(left, self.answer(send(&mut connection), &era)).await.flatten() {
            Some(Ok(answer)) => Ok((answer, era)),
            Some(Err(error)) => {
                if error.is_unrecoverable_error() {
                    gone.store(true, Ordering::Relaxed);
                }
                Err(failure::of_client(error, &self.wire.location))
            }
            None => {
                // Whatever comes on it later answers nobody.
                gone.store(true, Ordering::Relaxed);
                Err(failure::no_answer(&self.wire.location))
            }
        }
    }

    /// The answer, unless the connection is left and it does not come soon after.
    async fn answer<T>(&self, answer: impl Future<Output = T>, era: &Era) -> Option<T> {
        tokio::pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => Some(answer),
            () = era.over() => self.wire.within(AFTERWARDS, answer).await,
        }
    }

    /// A connection that is not known to be broken, at `end` the latest.
    async fn live(&self, end: BootInstant) -> Result<Live> {
        let clock = &self.wire.clock;
        let connecting = async {
            let mut live = self.live.lock().await;
            let mut patience = Patience::default();
            loop {
                if let Some(live) = live.as_ref().filter(|live| !live.is_gone()) {
                    return Ok(live.clone());
                }
                match self.dial(patience.dial()).await {
                    Ok(fresh) => *live = Some(fresh),
                    Err(error) => {
                        let pause = patience.pause();
                        if !may_pass(&error) || clock.boot().plus(pause) >= end {
                            return Err(error);
                        }
                        clock.sleep(pause).await;
                    }
                }
            }
        };
        let connected = self.wire.within(end.since(clock.boot()), connecting).await;
        let late = || failure::no_answer(&self.wire.location).applied(Applied::No);
        connected.unwrap_or_else(|| Err(late()))
    }

    async fn dial(&self, limit: Duration) -> Result<Live> {
        let gone = Arc::new(AtomicBool::new(false));
        let notice = Arc::clone(&gone);
        let pushes = Arc::new(move |info: PushInfo| {
            if info.kind == PushKind::Disconnection {
                notice.store(true, Ordering::Relaxed);
            }
        });
        let era = self.wire.era();
        let connection = self.wire.dial(pushes, limit).await?;
        Ok(Live { connection, gone, era })
    }

    fn checked(&self, answer: Value, era: &Era) -> Result<Value> {
        match answer {
            Value::ServerError(error) => {
                let error = failure::of_server(&error, &self.wire.location);
                self.note(&error, era);
                Err(error)
            }
            answer => Ok(answer),
        }
    }

    /// A server that became a replica is left by everybody: another one is the primary now.
    fn note(&self, error: &Error, era: &Era) {
        if error.code() != Code::RedisReadOnly {
            return;
        }
        self.wire.leave(era);
        if let Ok(live) = self.live.try_lock()
            && let Some(live) = live.as_ref()
        {
            live.gone.store(true, Ordering::Relaxed);
        }
    }
}

impl Live {
    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || self.era.is_over()
    }
}

fn is_unknown_script(answer: &Value) -> bool {
    matches!(answer, Value::ServerError(error) if error.code() == "NOSCRIPT")
}

fn may_pass(error: &Error) -> bool {
    // Something else answers for a moment also where a proxy stands before the server.
    matches!(error.code(), Code::Unreachable | Code::NameNotFound | Code::NoAnswer | Code::OtherService)
}
