//! apalis: two worker processes. Its program is in `benches/peers/apalis`.

use std::process::Command;

use anyhow::Result;

use crate::cache;
use crate::sides::peer::Peer;
use crate::stores::redis::Places;

const VERSION: &str = "1.0.0";
const WORKERS: [&str; 2] = ["one", "two"];

/// One way to start its workers.
pub(crate) struct Apalis {
    /// Tasks at once in each process, and as many are taken in one step.
    pub(crate) slots: usize,
}

impl Apalis {
    pub(crate) const DEFAULTS: Self = Self { slots: 10 };
    pub(crate) const WIDE: Self = Self { slots: 100 };
}

fn program(url: &str) -> Result<Command> {
    let mut command = Command::new(cache::peer("apalis")?);
    command.env("BENCH_URL", url);
    Ok(command)
}

impl Peer for Apalis {
    fn name(&self) -> String {
        format!("apalis {VERSION}")
    }

    fn setting(&self) -> String {
        format!("{} processes, {} at once", WORKERS.len(), self.slots)
    }

    /// With 20,000 its script for taking tasks fails: it unpacks all that wait.
    fn tasks(&self) -> usize {
        5_000
    }

    fn sender(&self, url: &str) -> Result<Command> {
        program(url)
    }

    fn workers(&self, url: &str) -> Result<Vec<Command>> {
        let worker = |name: &&str| {
            let mut command = program(url)?;
            let slots = self.slots.to_string();
            command.args(["work", name, &slots, &slots]);
            Ok(command)
        };
        WORKERS.iter().map(worker).collect()
    }

    fn places(&self) -> Places {
        let inflight = WORKERS.map(|name| format!("bench:inflight:{name}"));
        Places::new(
            &[["LLEN", "bench:active"], ["ZCARD", "bench:scheduled"]],
            &[["SCARD", &inflight[0]], ["SCARD", &inflight[1]]],
        )
    }
}
