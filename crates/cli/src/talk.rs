//! What is said beside the data, on standard error.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};

/// Talks to the person at the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    quiet: bool,
}

impl Talk {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet }
    }

    /// One line.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if !self.quiet {
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
        }
    }

    /// A progress bar of `total` steps; one that shows nothing unless standard error is a terminal.
    pub(crate) fn progress(self, total: u64, what: &'static str) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg:10} {bar:40} {pos}/{len} {per_sec} {elapsed}");
        let bar = ProgressBar::new(total).with_message(what);
        style.map_or(bar.clone(), |style| bar.with_style(style))
    }
}
