//! The log: to standard error, as `CARDOON_LOG`, `-v` or a worker's `-l` ask for it.

use std::io::IsTerminal as _;

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::{Color, Global};

/// Starts the log. `level`: what the command writes unless it is told otherwise.
pub(crate) fn start(global: &Global, level: &str) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (_, 0) => level,
        (_, 1) => "debug",
        _ => "trace",
    };
    let asked = std::env::var("CARDOON_LOG").ok().filter(|text| !text.is_empty());
    // Not by `EnvFilter`, whose machines for patterns stay in the memory of each worker.
    let filter = asked.as_deref().unwrap_or(level).parse::<Targets>();
    let unreadable = filter.as_ref().err().map(ToString::to_string);
    let filter = filter.or_else(|_| level.parse()).unwrap_or_default();
    let colored = match global.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = lines.with_ansi(colored).with_target(false);
    // A second start, as in tests, keeps the first log.
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
    if let Some(error) = unreadable {
        tracing::error!(%error, "CARDOON_LOG cannot be read and does not count");
    }
}
