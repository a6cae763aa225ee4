//! What the machine needs for the mere reading of the files.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use cardoon_bench_common::median;

use crate::inputs::Inputs;
use crate::stopwatch::Stopwatch;

/// Medians, in seconds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    /// `cat` to the null device.
    pub(crate) bytes_secs: f64,
    /// `wc -l`, on one processor.
    pub(crate) lines_secs: f64,
}

pub(crate) fn measure(inputs: &Inputs, runs: u16) -> Result<Reading> {
    let (mut bytes, mut lines) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        bytes.push(secs(Command::new("cat").args(inputs.files()?))?);
        lines.push(secs(Command::new("wc").arg("-l").args(inputs.files()?))?);
    }
    Ok(Reading { bytes_secs: median(bytes), lines_secs: median(lines) })
}

fn secs(command: &mut Command) -> Result<f64> {
    let stopwatch = Stopwatch::start();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let secs = stopwatch.elapsed().as_secs_f64();
    let status = status.with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(secs)
}
