use cardoon_errors::{Code, Finding, Report};
use cardoon_runtime::Clock;

use super::line::Line;
use super::surroundings::Surroundings;
use super::{company, condition, entrance, reach};
use crate::address::RedisAddress;

/// What the store that is asked is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Workers take from it, so it is asked who waits there.
    Messages,
    Results,
}

/// Asks the server at `address` everything that may be wrong with it, in a beginner's order, and reports each finding as
/// it comes. Writes nothing. Answers whether a store can be opened there.
///
/// `clock` is compared with the server's. All steps together take less than 10 s, also if nothing answers.
pub async fn probe(
    address: &RedisAddress,
    holds: Holds,
    surroundings: &Surroundings,
    clock: &Clock,
    report: Report<'_>,
) -> bool {
    match rounds(address, holds, surroundings, clock, report).await {
        Ok(()) => true,
        Err(finding) => {
            report(finding);
            false
        }
    }
}

/// Ends with the finding after which nothing further can be asked.
async fn rounds(
    address: &RedisAddress,
    holds: Holds,
    surroundings: &Surroundings,
    clock: &Clock,
    report: Report<'_>,
) -> Result<(), Finding> {
    let primary = reach::reach(address, surroundings, report).await?;
    let mut line = Line::open(address, primary.as_ref()).await.map_err(|error| {
        let check = if error.code() == Code::RedisCertificate { "tls" } else { "address" };
        Finding::error(check, error)
    })?;
    let info = entrance::enter(&mut line, address, report).await?;
    condition::examine(&mut line, &info, clock, report).await?;
    if holds == Holds::Messages {
        company::look(&mut line, address.database, report).await;
    }
    Ok(())
}
