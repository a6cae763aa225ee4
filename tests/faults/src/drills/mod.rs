//! The drills. Each file is a promise, the trouble that tests it, and the judgement.

pub mod broken_messages;
pub mod deploy;
pub mod disk;
pub mod false_rescue;
pub mod kills;
pub mod redis;
pub mod shutdown;
pub mod stale_runs;
pub mod steps;
