//! Asking a store what may be wrong with it.

use cardoon_errors::{Finding, Report};
use cardoon_runtime::Clock;

use crate::url::Target;

/// What this machine says about where a store may be, apart from its URL.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    #[cfg(feature = "redis")]
    pub redis: cardoon_redis::Surroundings,
}

impl Surroundings {
    /// Looks at this machine.
    pub fn of_system() -> Self {
        Self {
            #[cfg(feature = "redis")]
            redis: cardoon_redis::Surroundings::of_system(),
        }
    }
}

/// What a store is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    Messages,
    Results,
}

/// Asks the store that `url` names everything that may be wrong with it, in a beginner's order, and reports each finding
/// as it comes. Nothing is made and nothing is written. Answers whether the store can be looked into further.
#[cfg_attr(not(feature = "redis"), expect(unused_variables, reason = "only servers are somewhere else"))]
pub async fn probe(
    url: &str,
    holds: Holds,
    surroundings: &Surroundings,
    clock: &Clock,
    report: Report<'_>,
) -> bool {
    let target = match Target::parse(url) {
        Ok(target) => target,
        Err(error) => {
            report(Finding::error("url", error));
            return false;
        }
    };
    match target {
        Target::Memory => {
            report(Finding::fine("running", "a store in memory lives and ends with its process"));
            false
        }
        #[cfg(all(feature = "sqlite", unix))]
        Target::Sqlite(path) => {
            cardoon_sqlite::probe(&path, &cardoon_sqlite::ProbeLimits::default(), report).await
        }
        #[cfg(not(all(feature = "sqlite", unix)))]
        Target::Sqlite(_) => {
            report(Finding::error("url", crate::url::feature_missing("sqlite", "sqlite")));
            false
        }
        #[cfg(feature = "redis")]
        Target::Redis(address) => {
            let holds = match holds {
                Holds::Messages => cardoon_redis::Holds::Messages,
                Holds::Results => cardoon_redis::Holds::Results,
            };
            cardoon_redis::probe(&address, holds, &surroundings.redis, clock, report).await
        }
    }
}
