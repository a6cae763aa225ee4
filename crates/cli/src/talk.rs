//! What is said beside the data, on standard error.

use std::io::{IsTerminal as _, Write as _};

use cardoon_errors::Language;
use indicatif::{ProgressBar, ProgressStyle};

use crate::language::choose;
use crate::log;

/// Talks to the person at the terminal, in one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    quiet: bool,
    language: Language,
}

impl Talk {
    pub(crate) fn new(quiet: bool, language: Language) -> Self {
        Self { quiet, language }
    }

    /// One line.
    pub(crate) fn say(self, english: impl AsRef<str>, chinese: impl AsRef<str>) {
        if !self.quiet {
            let line = choose(self.language, english.as_ref(), chinese.as_ref());
            if log::is_json() {
                return tracing::info!(target: log::TALK, "{}", line.trim_end());
            }
            // Nobody is left to be told that standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// A progress bar of `total` steps; one that shows nothing unless standard error is a terminal.
    pub(crate) fn progress(self, total: u64, english: &'static str, chinese: &'static str) -> ProgressBar {
        if self.quiet || !std::io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg:10} {bar:40} {pos}/{len} {per_sec} {elapsed}");
        let bar = ProgressBar::new(total).with_message(choose(self.language, english, chinese));
        style.map_or(bar.clone(), |style| bar.with_style(style))
    }
}
