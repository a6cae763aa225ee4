pub(super) mod batch;
mod call;
mod key;
pub(super) mod look;
pub(super) mod retry;
pub(super) mod revoke;
pub(super) mod send;
