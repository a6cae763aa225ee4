use std::time::Duration;

/// How a database file is used. Every process of one file may choose for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// What an acknowledged message survives. Default: [`Synchronous::Full`].
    pub synchronous: Synchronous,
    /// How long an operation stands a foreign lock on the database before it fails with `CD1110`. Default: 30 s.
    pub busy_limit: Duration,
    /// How often to look for changes of which no bell told, at least 10 ms; `None` relies on the bells alone.
    /// Default: 500 ms.
    pub safety_net: Option<Duration>,
    pub retention: Retention,
    /// The file does not grow beyond this many bytes: operations that need more fail as on a full disk. Default:
    /// no limit.
    pub max_bytes: Option<u64>,
    /// Use the file although it is on a network file system, whose locks cannot be relied on. Default: no.
    pub allow_network_filesystem: bool,
}

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Synchronous {
    /// When it is on the disk: it survives a loss of power.
    #[default]
    Full,
    /// When the operating system has it: it survives the death of every process, and a loss of power may take
    /// the last moments.
    Normal,
}

/// How long things are kept that nobody needs for their execution any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Results: their values, and whether a task has one. Default: 1 day.
    pub results: Duration,
    /// The history of runs, and run records. Not shorter than `results`. Default: 7 days.
    pub history: Duration,
    /// Dead letters. Default: 14 days.
    pub dead_letters: Duration,
    /// Events, of which at most 10,000 batches are kept in any case. Default: 1 hour.
    pub events: Duration,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            synchronous: Synchronous::Full,
            busy_limit: Duration::from_secs(30),
            safety_net: Some(Duration::from_millis(500)),
            retention: Retention::default(),
            max_bytes: None,
            allow_network_filesystem: false,
        }
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            results: Duration::from_hours(24),
            history: Duration::from_hours(7 * 24),
            dead_letters: Duration::from_hours(14 * 24),
            events: Duration::from_hours(1),
        }
    }
}
