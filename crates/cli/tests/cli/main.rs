//! The real `cardoon` binary on temporary databases: what it prints, and the status it ends with.
#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

mod bench;
mod chinese;
mod db;
mod dead;
mod demo;
mod doctor;
mod errors;
mod events;
mod explain;
mod gateway;
mod handback;
mod log;
mod looking;
mod migrate;
mod queues;
mod redis;
mod sending;
mod settings;
mod support;
mod tasks;
mod top;
mod verify;
mod verify_killed;
mod why;
mod worker;
mod workers;
