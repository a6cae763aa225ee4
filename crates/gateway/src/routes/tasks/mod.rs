pub(super) mod batch;
mod key;
pub(super) mod look;
pub(super) mod send;
pub(super) mod steer;
