//! Who lives, for somebody who is no consumer himself and watches for a moment only.

use std::collections::HashSet;
use std::time::Duration;

use cardoon_broker::LeaseKind;
use cardoon_core::QueueName;
use cardoon_core::lease::LeaseTerms;
use cardoon_errors::Result;

use super::change::Change;
use super::sessions::{self, Facts};
use crate::keys;
use crate::link::{int, items, text};
use crate::store::Shared;

/// The sessions that there are, as two looks found them.
#[derive(Default)]
pub(crate) struct Watched {
    pub(crate) alive: Vec<Facts>,
    pub(crate) dead: Vec<Dead>,
}

/// A session that nobody is behind any more.
pub(crate) struct Dead {
    pub(crate) facts: Facts,
    /// What must still be so when something is done about it.
    pub(crate) guard: Change,
}

/// What a look finds of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sign {
    number: u64,
    beat: i64,
    /// Its connection is there.
    connected: bool,
    /// Its connection would be there if it lived.
    signed: bool,
    age: Duration,
}

/// Looks twice, as long apart as a connection may be gone without its worker being dead. A session is dead if it was not
/// heard of in between, and has no connection; or, if that cannot be told, if its lease was over the whole time.
pub(crate) async fn watch(shared: &Shared) -> Result<Watched> {
    let first = look(shared).await?;
    if first.is_empty() {
        return Ok(Watched::default());
    }
    let second = if first.iter().any(|sign| sign.connected) {
        first.clone()
    } else {
        shared.wire.clock.sleep(shared.options.grace).await;
        look(shared).await?
    };
    let mut watched = Watched::default();
    let numbers: Vec<u64> = second.iter().map(|sign| sign.number).collect();
    for facts in sessions::facts(&shared.main, &numbers).await? {
        let of = |looks: &[Sign]| looks.iter().find(|sign| sign.number == facts.number).copied();
        match (of(&first), of(&second)) {
            (Some(before), Some(now)) if is_dead(before, now, &facts) => {
                let guard = guard(shared, now);
                watched.dead.push(Dead { facts, guard });
            }
            _ => watched.alive.push(facts),
        }
    }
    Ok(watched)
}

fn is_dead(before: Sign, now: Sign, facts: &Facts) -> bool {
    let lapsed = before.age >= Duration::from_millis(facts.lease_millis);
    !before.connected && !now.connected && before.beat == now.beat && (now.signed || lapsed)
}

fn guard(shared: &Shared, sign: Sign) -> Change {
    let guard = Change::new().if_at_most(keys::BEATS, sign.number.to_string(), sign.beat);
    if counts(shared) { guard.if_no_subscriber(channel(shared, sign.number)) } else { guard }
}

/// Whether the server tells which connections there are.
fn counts(shared: &Shared) -> bool {
    shared.capabilities.lease == LeaseKind::ExpiringWithSignOfDeath
}

fn channel(shared: &Shared, number: u64) -> String {
    format!("{}{number}", shared.channels.alive())
}

/// Which of these queues a living worker takes from, as far as one look can tell.
pub(crate) async fn attended(shared: &Shared, queues: &[&QueueName]) -> Result<HashSet<QueueName>> {
    let mut pipeline = redis::pipe();
    for queue in queues {
        pipeline.cmd("SMEMBERS").arg(keys::workers(queue));
    }
    let mut workers = Vec::new();
    for (queue, members) in queues.iter().zip(shared.main.ask_each(&pipeline).await?) {
        for number in items(members, "SMEMBERS")? {
            workers.push((*queue, int(&number, "SMEMBERS")? as u64));
        }
    }
    let numbers: Vec<u64> = workers.iter().map(|(_, number)| *number).collect();
    let signs = look_at(shared, &numbers).await?;
    let is_alive = |number: u64| signs.iter().any(|sign| sign.number == number && is_alive(shared, *sign));
    Ok(workers.into_iter().filter(|(_, number)| is_alive(*number)).map(|(queue, _)| queue.clone()).collect())
}

fn is_alive(shared: &Shared, sign: Sign) -> bool {
    let gives_no_sign = !sign.signed || !counts(shared);
    sign.connected || (gives_no_sign && sign.age < LeaseTerms::default().lease)
}

async fn look(shared: &Shared) -> Result<Vec<Sign>> {
    look_at(shared, &sessions::numbers(&shared.main).await?).await
}

async fn look_at(shared: &Shared, numbers: &[u64]) -> Result<Vec<Sign>> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipeline = redis::pipe();
    pipeline.cmd("TIME");
    pipeline.cmd("ZMSCORE").arg(keys::BEATS).arg(numbers);
    pipeline.cmd("SMEMBERS").arg(keys::SIGNED);
    let mut answers = shared.main.ask_each(&pipeline).await?.into_iter();
    let mut next = |what| items(answers.next().unwrap_or_default(), what);
    let time = next("TIME")?;
    let now = time.first().map_or(Ok(0), |seconds| int(seconds, "TIME"))? * 1000;
    let beats = next("ZMSCORE")?;
    let signed = next("SMEMBERS")?.into_iter().map(|number| text(number, "SMEMBERS"));
    let signed = signed.collect::<Result<HashSet<String>>>()?;
    let connected = connected(shared, numbers).await?;
    let sign = |((number, beat), connected): ((&u64, redis::Value), bool)| {
        let number = *number;
        // Who has no heartbeat any more has left.
        let beat = int(&beat, "ZMSCORE").ok()?;
        let age = Duration::from_millis((now - beat).max(0) as u64);
        Some(Sign { number, beat, connected, signed: signed.contains(&number.to_string()), age })
    };
    Ok(numbers.iter().zip(beats).zip(connected).filter_map(sign).collect())
}

async fn connected(shared: &Shared, numbers: &[u64]) -> Result<Vec<bool>> {
    if !counts(shared) {
        return Ok(vec![false; numbers.len()]);
    }
    let mut ask = redis::cmd("PUBSUB");
    ask.arg("NUMSUB");
    for number in numbers {
        ask.arg(channel(shared, *number));
    }
    let answer = items(shared.main.ask(&ask).await?, "PUBSUB")?;
    answer.chunks_exact(2).map(|pair| Ok(int(&pair[1], "PUBSUB")? > 0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::Timestamp;

    const SIGN: Sign =
        Sign { number: 7, beat: 1, connected: false, signed: true, age: Duration::from_secs(1) };

    fn facts() -> Facts {
        Facts {
            number: 7,
            worker: "w".into(),
            queues: Vec::new(),
            tasks: Vec::new(),
            slots: 1,
            since: Timestamp(0),
            pid: 1,
            version: String::new(),
            lease_millis: 15_000,
        }
    }

    #[test]
    fn who_shows_any_sign_is_alive() {
        assert!(is_dead(SIGN, SIGN, &facts()));
        assert!(!is_dead(SIGN, Sign { connected: true, ..SIGN }, &facts()));
        assert!(!is_dead(Sign { connected: true, ..SIGN }, SIGN, &facts()));
        assert!(!is_dead(SIGN, Sign { beat: 2, ..SIGN }, &facts()));
    }

    #[test]
    fn without_a_connection_to_look_at_the_lease_decides() {
        let silent = Sign { signed: false, ..SIGN };
        assert!(!is_dead(silent, silent, &facts()));
        let lapsed = Sign { age: Duration::from_secs(15), ..silent };
        assert!(is_dead(lapsed, lapsed, &facts()));
    }
}
