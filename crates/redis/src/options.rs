//! How the stores in Redis behave.

use std::time::Duration;

/// How long the past is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// Results; the default is 1 day, Celery's.
    pub results: Duration,
    /// Dead letters; the default is 14 days.
    pub dead_letters: Duration,
    /// Run records and revokes, which are needed as long as a message of the task may live. The default is 7 days;
    /// those of a delayed message live as much longer as it is delayed.
    pub fences: Duration,
    /// The runs of a task, if they are kept. The default is not to keep them: each costs a command and memory.
    pub history: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self { results: days(1), dead_letters: days(14), fences: days(7), history: None }
    }
}

fn days(count: u64) -> Duration {
    Duration::from_secs(count * 24 * 60 * 60)
}

/// How the stores behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    pub retention: Retention,
    /// How long an operation waits for the server, connecting included. The default is 5 s.
    pub limit: Duration,
    /// How long a worker's connection must have been gone until the worker is taken for dead. The default is 2 s.
    pub grace: Duration,
    /// How often a worker that waits looks for messages although nobody told it. A safety net only: the server tells
    /// of every change. The default is 2 s; `None` turns it off.
    pub safety_net: Option<Duration>,
    /// Only to look: the server is not marked as one that Cardoon uses. The default is no.
    pub looks_only: bool,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            retention: Retention::default(),
            limit: Duration::from_secs(5),
            grace: Duration::from_secs(2),
            safety_net: Some(Duration::from_secs(2)),
            looks_only: false,
        }
    }
}
