//! What is said beside the data, on standard error.

use std::io::{IsTerminal as _, Write as _};

use cardoon_errors::Language;
use indicatif::{ProgressBar, ProgressStyle};

/// One line, in the language of the locale.
pub(crate) fn say(english: impl AsRef<str>, chinese: impl AsRef<str>) {
    let line = Language::of_environment().choose(english.as_ref(), chinese.as_ref());
    // Nobody is left to be told that standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// A bar over `total` bytes; it shows nothing unless standard error is a terminal.
pub(crate) fn bytes(total: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let bar = ProgressBar::new(total);
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}
