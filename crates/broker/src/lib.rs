//! The broker port: durable queues with leases.
//!
//! A broker stores messages and hands each to one consumer at a time. What its answers mean is fixed by the pure
//! rules in `cardoon-core` ([`cardoon_core::lease`], [`cardoon_core::rescue`], [`cardoon_core::settle`]) and
//! checked by the conformance suite that every adapter runs ([`conformance`]).

mod capabilities;
mod consumer;
mod control;
mod dead;
mod handback;
mod inspect;
mod left;
mod port;

pub mod conformance;
pub mod memory;

pub use capabilities::{Capabilities, DelayKind, Durability, LeaseKind};
pub use consumer::{ConsumeSpec, Consumer, Delivery, Settle, Settled, SweepReport};
pub use control::{Control, Order};
pub use dead::{DeadFilter, DeadLetter, DeadLetters};
pub use handback::{Handback, HandbackReport, HandbackWish, HandedBack};
pub use inspect::{Inspect, Member, Place, QueueStats, Waiting};
pub use left::LeftToOthers;
pub use port::{Broker, EventStream, Publish, Published, Revoked};
