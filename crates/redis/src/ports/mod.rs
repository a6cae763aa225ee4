//! The ports that the store implements.

mod broker;
mod control;
mod coord;
mod dead_letters;
mod events;
mod follower;
mod handback;
mod inspect;
mod results;

pub(crate) use events::Audience;
pub(crate) use follower::Follower;
