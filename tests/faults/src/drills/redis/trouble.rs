use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use cardoon_core::BootInstant;
use cardoon_drills::{FaultProxy, Line};
use cardoon_testkit::RedisServer;

use super::LIST;
use crate::lab::Look;
use crate::{Lab, helpers};

/// What happens to a server or to the connections of the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is killed with SIGKILL and started again on its data.
    ServerKilled(Duration),
    /// It executes nothing and answers nobody.
    ServerSleeps(Duration),
    /// All connections of the workers are reset, and they may connect again at once.
    Reset,
    /// All connections of the workers are reset, and for so long they cannot connect.
    CutOff(Duration),
    /// The same for one of two workers.
    OneCutOff(Duration),
    /// The connections of the workers lead nowhere, and so do new ones for so long.
    HalfOpen(Duration),
    /// Every round trip of the workers takes so much longer.
    Slow(Duration),
    /// The same for one of two workers.
    OneSlow(Duration),
    /// It is at its memory limit.
    OutOfMemory,
    /// A key is of another type.
    WrongType(&'static str),
    /// A command is forbidden to everybody.
    Forbidden(&'static str),
    /// It becomes the replica of its replica, and the address leads to the other one.
    Failover,
    /// It forgets the scripts that it knows, again and again.
    ScriptsForgotten,
    /// Somebody gives away what living workers hold: the drill has to notice it.
    Robbery,
}

/// How long what has no time of its own lasts.
const WHILE: Duration = Duration::from_secs(3);
const STEP: Duration = Duration::from_millis(50);

/// When a trouble began and when it was over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) began: BootInstant,
    pub(super) over: BootInstant,
}

impl Trouble {
    pub(super) fn lasts(self) -> Duration {
        match self {
            Self::Reset | Self::Failover | Self::Robbery => Duration::ZERO,
            Self::ServerKilled(time)
            | Self::ServerSleeps(time)
            | Self::CutOff(time)
            | Self::OneCutOff(time)
            | Self::HalfOpen(time) => time,
            _ => WHILE,
        }
    }

    /// The code that a sender gets while it lasts, if one is certain.
    pub(super) fn refuses_with(self) -> Option<&'static str> {
        match self {
            Self::OutOfMemory => Some("CD1202"),
            Self::WrongType(LIST) => Some("CD1203"),
            Self::Forbidden("lpush") => Some("CD1205"),
            _ => None,
        }
    }

    /// What a worker has to write about it.
    pub(super) fn worker_tells(self) -> Option<&'static str> {
        match self {
            Self::ServerKilled(_) | Self::CutOff(_) | Self::HalfOpen(_) => Some("CD1"),
            Self::WrongType(_) => Some("CD1203"),
            Self::Forbidden("evalsha" | "hset" | "hdel") => Some("CD1205"),
            Self::Failover => Some("CD1204"),
            _ => None,
        }
    }

    /// Lets it begin, last and end. `lines` lead the workers to the server, one each.
    pub(super) async fn happen(self, lab: &mut Lab, lines: &[FaultProxy]) -> anyhow::Result<Span> {
        let began = lab.clock.boot();
        match self {
            Self::ServerKilled(_) => self.kill(lab).await?,
            Self::Reset => lines.iter().for_each(FaultProxy::cut),
            Self::CutOff(time) => cut_off(lab, lines, time).await,
            Self::OneCutOff(time) => cut_off(lab, &lines[..1], time).await,
            Self::HalfOpen(time) => with_line(lab, lines, Line::LOST, time).await,
            Self::Slow(longer) => with_line(lab, lines, Line::round_trip(longer), WHILE).await,
            Self::OneSlow(longer) => with_line(lab, &lines[..1], Line::round_trip(longer), WHILE).await,
            Self::Failover => fail_over(lab, lines).await?,
            Self::ScriptsForgotten => forget_scripts(lab).await?,
            Self::Robbery => helpers::give_away_everything(lab).await?,
            Self::ServerSleeps(time) => {
                let seconds = time.as_secs_f64().to_string();
                lab.redis()?.command(&["DEBUG", "SLEEP", &seconds]).await?;
            }
            Self::OutOfMemory | Self::WrongType(_) | Self::Forbidden(_) => {
                self.set(lab.redis()?, true).await?;
                lab.clock.sleep(self.lasts()).await;
                self.set(lab.redis()?, false).await?;
            }
        }
        Ok(Span { began, over: lab.clock.boot() })
    }

    async fn kill(self, lab: &mut Lab) -> anyhow::Result<()> {
        lab.redis_mut()?.kill()?;
        lab.clock.sleep(self.lasts()).await;
        lab.redis_mut()?.restart().await
    }

    async fn set(self, server: &RedisServer, on: bool) -> anyhow::Result<()> {
        match self {
            Self::OutOfMemory => {
                server.command(&["CONFIG", "SET", "maxmemory", if on { "1" } else { "0" }]).await?;
            }
            Self::Forbidden(command) => {
                let rule = format!("{}{command}", if on { '-' } else { '+' });
                server.command(&["ACL", "SETUSER", "default", &rule]).await?;
            }
            Self::WrongType(key) => {
                let script = if on { TAKE_KEY } else { GIVE_KEY };
                server.command(&["EVAL", script, "2", key, &format!("{key} taken")]).await?;
            }
            _ => {}
        }
        Ok(())
    }
}

const TAKE_KEY: &str = "
    if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
    return redis.call('SET', KEYS[1], 'something else')";
const GIVE_KEY: &str = "
    redis.call('DEL', KEYS[1])
    if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[1]) end
    return 1";

async fn cut_off(lab: &Lab, lines: &[FaultProxy], time: Duration) {
    for line in lines {
        line.refuse().await;
        line.cut();
    }
    lab.clock.sleep(time).await;
    resume(lines).await;
}

async fn with_line(lab: &Lab, lines: &[FaultProxy], line: Line, time: Duration) {
    for proxy in lines {
        proxy.set(line);
    }
    lab.clock.sleep(time).await;
    resume(lines).await;
}

async fn resume(lines: &[FaultProxy]) {
    for line in lines {
        line.resume().await;
    }
}

async fn forget_scripts(lab: &Lab) -> anyhow::Result<()> {
    let end = lab.clock.boot().plus(WHILE);
    while lab.clock.boot() < end {
        lab.redis()?.command(&["SCRIPT", "FLUSH"]).await?;
        lab.clock.sleep(STEP).await;
    }
    Ok(())
}

/// The lab's server and its replica change their parts. The server sees to it that the other one has everything.
async fn fail_over(lab: &mut Lab, lines: &[FaultProxy]) -> anyhow::Result<()> {
    let replica = lab.replica()?;
    lab.redis()?.command(&["FAILOVER"]).await?;
    lab.awaited(async || {
        let role = replica.command(&["ROLE"]).await?;
        let is_primary = role.starts_with("master");
        Ok(if is_primary { Look::Found(()) } else { Look::Missing(format!("a primary, it is {role}")) })
    })
    .await?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, replica.port()));
    for line in lines {
        line.lead_to(address);
    }
    Ok(())
}
