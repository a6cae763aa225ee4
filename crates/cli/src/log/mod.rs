//! The log: lines on standard error.

#[cfg(feature = "otlp")]
mod export;
mod json;
mod pretty;
mod sending;

use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicBool, Ordering};

use cardoon_settings::{Log, LogFormat, Settings, Sources};
use tracing::Level;
use tracing::field::Field;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::arguments::{Arguments, Color};
use json::JsonLines;
use pretty::Fields;
pub(crate) use sending::sending;

/// What is said to the person at the terminal, where the log is for programs.
pub(crate) const TALK: &str = "talk";

/// Each line of standard error is a JSON object.
static IS_JSON: AtomicBool = AtomicBool::new(false);

/// Whether programs read the log: then all that is said goes into it.
pub(crate) fn is_json() -> bool {
    IS_JSON.load(Ordering::Relaxed)
}

/// The log while this lives.
pub(crate) struct Running {
    #[cfg(feature = "otlp")]
    _export: Option<export::Export>,
}

/// Starts the log as `CARDOON_LOG` says, else the settings. `usual`: the level of the command unless it is told otherwise.
pub(crate) fn start(arguments: &Arguments, usual: &str) -> Running {
    let settings = settings(arguments);
    let level = settings.level.map_or(usual, |level| level.as_str());
    let asked = std::env::var("CARDOON_LOG").ok().filter(|text| !text.is_empty());
    // Not by `EnvFilter`, whose machines for patterns stay in the memory of each worker.
    let filter = asked.as_deref().unwrap_or(level).parse::<Targets>();
    let unreadable = filter.as_ref().err().map(ToString::to_string);
    let filter = filter.or_else(|_| level.parse()).unwrap_or_default().with_target(TALK, Level::INFO);
    IS_JSON.store(settings.format == LogFormat::Json, Ordering::Relaxed);
    let lines = lines(settings.format, arguments.global.color).with_filter(filter);
    let registry = tracing_subscriber::registry().with(lines);
    #[cfg(feature = "otlp")]
    let export = export::Export::begin();
    #[cfg(feature = "otlp")]
    let registry = registry.with(export.as_ref().ok().and_then(Option::as_ref).map(export::Export::layer));
    // A second start, as in tests, keeps the first log.
    let _ = registry.try_init();
    if let Some(error) = unreadable {
        tracing::error!(%error, "CARDOON_LOG cannot be read and does not count");
    }
    #[cfg(feature = "otlp")]
    if let Err(error) = &export {
        tracing::error!(error, "spans cannot be exported");
    }
    Running {
        #[cfg(feature = "otlp")]
        _export: export.ok().flatten(),
    }
}

/// Whether a field is for traces alone; the log leaves those out.
fn is_of_traces(field: &Field) -> bool {
    ["otel.", "celery.", "messaging."].iter().any(|prefix| field.name().starts_with(prefix))
}

/// What the settings say of the log. Whoever needs them says what is wrong with them; until then the defaults count.
fn settings(arguments: &Arguments) -> Log {
    Settings::load(&Sources::of_process(arguments.flags())).unwrap_or_default().log
}

fn lines(format: LogFormat, color: Color) -> Box<dyn Layer<Registry> + Send + Sync> {
    match format {
        LogFormat::Json => JsonLines::new(std::io::stderr).boxed(),
        LogFormat::Pretty => {
            let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
            lines.fmt_fields(Fields).with_ansi(is_colored(color)).with_target(false).boxed()
        }
    }
}

fn is_colored(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
    }
}
