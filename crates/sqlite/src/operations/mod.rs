//! The steps that change the file, each within one transaction. They read rows, ask the rules of `cardoon-core`, and
//! store the answers.

#[cfg(test)]
mod plans;

pub(crate) mod claim;
pub(crate) mod publish;
pub(crate) mod redrive;
pub(crate) mod rescue;
pub(crate) mod revoke;
pub(crate) mod runs;
pub(crate) mod settle;
