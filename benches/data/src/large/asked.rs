use std::process::ChildStdout;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process;
use crate::systems::{Cardoon, timing};

/// The memory that a query may use which does not fit into it.
pub(super) const MEMORY: &str = "512MiB";
/// What its process may have resident at most: three tenths more, in MB.
pub(super) const PEAK_MB: f64 = 1.3 * 512.0 * 1.048_576;

const LIMIT: Duration = Duration::from_hours(1);

/// A query that was answered.
pub(super) struct Asked<T> {
    pub(super) secs: f64,
    peak_mb: f64,
    spilled: String,
    pub(super) rows: T,
}

impl<T: Send> Asked<T> {
    /// What `read` makes of the rows, while they come.
    pub(super) fn new(
        cardoon: &Cardoon,
        sql: &str,
        limits: &[&str],
        read: impl FnOnce(ChildStdout) -> Result<T> + Send,
    ) -> Result<Self> {
        let mut command = cardoon.ask(sql);
        let ended = process::run_reading(command.args(limits).env("LC_ALL", "C"), LIMIT, read)?;
        let told = timing(&ended.stderr).zip(spilled(&ended.stderr));
        let (secs, spilled) = told.context("it does not tell how long it took and what it spilled")?;
        Ok(Self { secs, peak_mb: ended.peak_mb, spilled: spilled.into(), rows: ended.stdout? })
    }

    /// Within [`MEMORY`].
    pub(super) fn within_memory(
        cardoon: &Cardoon,
        sql: &str,
        read: impl FnOnce(ChildStdout) -> Result<T> + Send,
    ) -> Result<Self> {
        Self::new(cardoon, sql, &["--memory", MEMORY], read)
    }

    pub(super) fn told(&self) -> String {
        format!("{:.1} s, {} spilled, peak {:.0} MB", self.secs, self.spilled, self.peak_mb)
    }

    pub(super) fn kept_to_memory(&self) -> bool {
        self.peak_mb <= PEAK_MB
    }
}

/// What is asked of its process.
pub(super) fn goal() -> String {
    format!("peak <= {PEAK_MB:.0} MB")
}

/// The last line tells it, as in `2.134 s: 9 rows and 81 B read, 2.73 MiB spilled, …`.
fn spilled(stderr: &str) -> Option<&str> {
    stderr.lines().next_back()?.split(", ").find_map(|part| part.strip_suffix(" spilled"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_spilled_stands_in_the_last_line() {
        let stderr =
            "1 B spilled\n2.351 s: 300000 rows and 2.73 MiB read, 1.5 GiB spilled, 0 restarts, 0 retries\n";
        assert_eq!(spilled(stderr), Some("1.5 GiB"));
        assert_eq!(spilled("12 rows were left out\n"), None);
    }
}
