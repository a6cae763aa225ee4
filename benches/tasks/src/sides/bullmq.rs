//! BullMQ on Node: two worker processes, each with 50 tasks at once.

use std::process::Command;

use anyhow::Result;

use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const VERSION: &str = "6.7.0";
/// The client that it recommends.
const CLIENT: &str = "ioredis@6.0.0";
const SCRIPT: &str = include_str!("bullmq.js");
const PROCESSES: usize = 2;
const SLOTS: usize = 50;

pub(crate) struct BullMq;

fn program(url: &str) -> Result<Command> {
    let folder = cache::npm(&format!("bullmq-{VERSION}"), &[&format!("bullmq@{VERSION}"), CLIENT])?;
    std::fs::write(folder.join("bench.js"), SCRIPT)?;
    let mut command = Command::new("node");
    command.arg(folder.join("bench.js")).env("BENCH_URL", url);
    Ok(command)
}

impl Peer for BullMq {
    fn name(&self) -> String {
        format!("BullMQ {VERSION}")
    }

    fn setting(&self) -> String {
        format!("{PROCESSES} processes, {SLOTS} at once")
    }

    fn install(&self) -> Result<()> {
        cache::output(Command::new("node").arg("--version"))?;
        program("redis://127.0.0.1").map(drop)
    }

    fn sender(&self, url: &str) -> Result<Command> {
        program(url)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let worker = |_| {
            let mut command = program(url)?;
            command.args(["work", &SLOTS.to_string()]);
            Ok(command)
        };
        (0..PROCESSES).map(worker).collect()
    }

    fn places(&self) -> Places {
        Places::new(&[["LLEN", "bull:bench:wait"]], &[["LLEN", "bull:bench:active"]])
    }
}
