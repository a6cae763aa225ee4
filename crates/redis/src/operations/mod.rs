//! What the ports do, in commands and scripts.

pub(crate) mod change;
pub(crate) mod delayed;
pub(crate) mod ends;
pub(crate) mod graves;
pub(crate) mod handback;
pub(crate) mod known;
pub(crate) mod living;
pub(crate) mod messages;
pub(crate) mod publish;
pub(crate) mod queues;
pub(crate) mod rescue;
pub(crate) mod revoke;
pub(crate) mod runs;
pub(crate) mod search;
pub(crate) mod sessions;
pub(crate) mod settle;
pub(crate) mod upkeep;
