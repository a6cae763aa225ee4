//! Can it hold tasks, and does it keep them?

use std::time::Duration;

use cardoon_core::Timestamp;
use cardoon_errors::{Code, Error, Finding, Report, Result};
use cardoon_runtime::Clock;

use super::line::Line;
use crate::keys;
use crate::link::{int, items};
use crate::server::{self, Info};

/// Clocks that differ by more are told of, and by much more are an error.
const DIFFERENCE: Duration = Duration::from_secs(2);
const GREAT_DIFFERENCE: Duration = Duration::from_mins(1);

/// The part of its memory, in hundredths, from which a server is nearly full.
const NEARLY_FULL: u64 = 90;

const MEBIBYTE: u64 = 1024 * 1024;

pub(super) async fn examine(
    line: &mut Line,
    info: &Info,
    clock: &Clock,
    report: Report<'_>,
) -> Result<(), Finding> {
    fit_for_tasks(line, info, report).await?;
    if info.field("redis_version").is_empty() {
        report(Finding::unchecked("settings", "this user may not ask the server about itself (INFO)"));
    } else {
        report(kept("persistence", info.persistence(&line.location), "it writes to disk"));
        report(kept("eviction", info.eviction(&line.location), "it removes nothing by itself"));
        report(memory(info, &line.location));
    }
    report(writes(line, info).await);
    report(times(line, clock).await);
    Ok(())
}

async fn fit_for_tasks(line: &mut Line, info: &Info, report: Report<'_>) -> Result<(), Finding> {
    if info.field("loading") == "1" {
        let message = format!("{} is still reading its data", line.location);
        let error = Error::new(Code::Unreachable, message).hint("wait: redis-cli -u <URL> INFO persistence");
        return Err(Finding::error("role", error));
    }
    info.check_role(&line.location).map_err(|error| Finding::error("role", error))?;
    report(Finding::fine("role", "it is no replica and part of no cluster"));
    let layout = line.ask(&["GET", keys::LAYOUT]).await;
    let layout = layout.and_then(|layout| server::check_layout(layout, &line.location));
    layout.map_err(|error| Finding::error("layout", error))?;
    report(Finding::fine("layout", "its keys are of a layout that is known here"));
    Ok(())
}

fn kept(check: &'static str, loss: Option<Error>, sentence: &str) -> Finding {
    match loss {
        Some(error) => Finding::warning(check, error),
        None => Finding::fine(check, sentence),
    }
}

fn memory(info: &Info, location: &str) -> Finding {
    let number = |name| info.number(name).unwrap_or(0);
    let (used, limit) = (number("used_memory"), number("maxmemory"));
    let (taken, whole) = match limit {
        0 => (number("used_memory_rss"), number("total_system_memory")),
        limit => (used, limit),
    };
    if whole > 0 && taken.saturating_mul(100) >= whole.saturating_mul(NEARLY_FULL) {
        let error = Error::new(Code::RedisFull, format!("the memory of {location} is nearly full"))
            .checked(format!("{} of {} MiB", taken / MEBIBYTE, whole / MEBIBYTE))
            .hint("look what takes it: redis-cli -u <URL> --memkeys; then raise maxmemory");
        return Finding::warning("memory", error);
    }
    let (used, limit) = (used / MEBIBYTE, limit / MEBIBYTE);
    let sentence = match info.field("maxmemory") {
        "0" => format!("{used} MiB in use, no limit"),
        _ => format!("{used} MiB in use, {limit} MiB at most"),
    };
    Finding::fine("memory", sentence)
}

/// Whether it would take a message now. Asks for a key that is never there to be written over, which changes nothing and
/// is refused like any other write.
async fn writes(line: &mut Line, info: &Info) -> Finding {
    if let Err(error) = line.ask(&["SET", keys::NOTHING, "", "XX"]).await {
        return Finding::error("writes", error);
    }
    let failed = |name: &&str| info.field(name) == "err";
    let statuses = ["aof_last_write_status", "rdb_last_bgsave_status", "aof_last_bgrewrite_status"];
    match statuses.into_iter().find(failed) {
        Some(name) => {
            let error = Error::new(Code::RedisFull, format!("{} could not write to its disk", line.location))
                .checked(format!("{name}: err"))
                .hint("look at the space and the rights where it runs: df -h, and its log");
            Finding::warning("writes", error)
        }
        None => Finding::fine("writes", "it takes writes"),
    }
}

async fn times(line: &mut Line, clock: &Clock) -> Finding {
    let before = clock.now();
    let answer = line.ask(&["TIME"]).await;
    let after = clock.now();
    match answer.and_then(|answer| server_time(&items(answer, "TIME")?)) {
        Ok(theirs) => compared(theirs, before, after, &line.location),
        Err(_) => Finding::unchecked("clock", "this user may not ask for the server's time"),
    }
}

fn server_time(answer: &[redis::Value]) -> Result<Timestamp> {
    let part = |index: usize| answer.get(index).map_or(Ok(0), |part| int(part, "TIME"));
    Ok(Timestamp(part(0)? * 1000 + part(1)? / 1000))
}

/// Their time was read between the other two, so less than half of what lies between them is no difference.
fn compared(theirs: Timestamp, before: Timestamp, after: Timestamp, location: &str) -> Finding {
    let ours = i64::midpoint(before.0, after.0);
    let unsure = (after.0 - before.0).unsigned_abs() / 2;
    let offset = theirs.0 - ours;
    let apart = Duration::from_millis(offset.unsigned_abs().saturating_sub(unsure));
    if apart < DIFFERENCE {
        return Finding::fine("clock", format!("its clock and ours differ by {} ms", offset.abs()));
    }
    let message = if offset > 0 {
        format!("the clock of {location} is ahead of ours")
    } else {
        format!("the clock of {location} is behind ours")
    };
    let error = Error::new(Code::ClocksDiffer, message)
        .checked(format!("difference: {} s", offset.abs() / 1000))
        .hint("let both machines follow a time service: timedatectl set-ntp true");
    if apart < GREAT_DIFFERENCE { Finding::warning("clock", error) } else { Finding::error("clock", error) }
}

#[cfg(test)]
mod tests {
    use cardoon_errors::Severity;

    use super::*;

    #[test]
    fn a_slow_answer_is_no_difference_of_the_clocks() {
        let severity = |theirs, after| {
            compared(Timestamp(theirs), Timestamp(0), Timestamp(after), "redis://host").severity()
        };
        assert_eq!(severity(100, 0), Severity::Fine);
        assert_eq!(severity(6000, 6000), Severity::Fine);
        assert_eq!(severity(6000, 10), Severity::Warning);
        assert_eq!(severity(-120_000, 10), Severity::Error);
    }
}
