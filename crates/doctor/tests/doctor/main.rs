//! Injected faults, each of which the doctor has to name, and the healthy, of whom it says nothing bad.
#![expect(clippy::unwrap_used, reason = "a step that fails fails its test")]

mod company;
mod entrance;
mod files;
mod healthy;
mod keeping;
mod queues;
mod reaching;
mod support;
