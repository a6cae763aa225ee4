use std::time::Duration;

use serde::Serialize;

/// What a broker can do, as data: checked when a worker starts, printed by the tools, tabled in the docs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent ability, shown by name")]
pub struct Capabilities {
    pub name: &'static str,
    pub durability: Durability,
    pub lease: LeaseKind,
    pub delay: DelayKind,
    /// Distinct priorities; 1 means none.
    pub priorities: u8,
    /// A settle with its result and follow-ups is one step, if the results are kept on the same store.
    pub atomic_settle: bool,
    /// A claim waits for a message without polling, also for messages of other processes.
    pub blocking_claim: bool,
    /// The rescuer can tell which of a dead worker's tasks had started.
    pub exact_blame: bool,
    /// The queue holds a message of an id and attempt at most once.
    pub unique_messages: bool,
    /// Largest message in bytes.
    pub max_message_bytes: usize,
}

/// What an acknowledged message survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// Nothing: it lives in this process.
    Memory,
    /// The death of every process, not of the machine.
    OsCache,
    /// The loss of power.
    Fsync,
}

/// What a lease hangs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaseKind {
    /// Time alone.
    Expiring,
    /// Time, and an exact sign of death that comes sooner.
    ExpiringWithSignOfDeath,
}

/// How delayed messages wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DelayKind {
    Exact { granularity: Duration },
}
