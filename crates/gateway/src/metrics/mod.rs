//! Numbers for Prometheus, by the names that `docs/` lists. Values of labels come from whoever can send, so their number is
//! bounded: what is too many counts as `other`.

mod histogram;
mod meter;
mod page;

pub(crate) use meter::Meter;
pub(crate) use page::page;
