use std::path::PathBuf;

use cardoon_errors::{Code, Error};
use cardoon_settings::Flag;

use crate::arguments::flag;
use crate::commands::service;
use crate::commands::worker::Level;

/// Options of a scheduler.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Show the periodic tasks and when they are sent next, and end
    #[arg(long)]
    pub(super) list: bool,
    /// Where it is noted which ticks were sent; .cardoon/beat.json by default
    #[arg(short = 's', long = "schedule", value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// What to log
    #[arg(short, long, value_name = "LEVEL", ignore_case = true)]
    loglevel: Option<Level>,
    #[command(flatten)]
    pub(in crate::commands) service: service::ServiceOptions,
    #[command(flatten)]
    _ignored: Ignored,
}

/// Celery's options that mean nothing here, so that its command lines work as they are.
#[derive(Debug, clap::Args)]
struct Ignored {
    #[arg(long, value_name = "SECONDS", hide = true)]
    max_interval: Option<f64>,
}

/// Options of a worker that is a scheduler too.
#[derive(Debug, clap::Args)]
pub(crate) struct BesideOptions {
    /// Send the application's periodic tasks too, as cardoon beat does
    #[arg(short = 'B', long)]
    pub(in crate::commands) beat: bool,
    /// Where it is noted which ticks were sent; .cardoon/beat.json by default
    #[arg(short = 's', long = "schedule-filename", alias = "schedule", value_name = "FILE")]
    pub(in crate::commands) file: Option<PathBuf>,
}

impl Options {
    pub(in crate::commands) fn flags(&self) -> Vec<Flag> {
        Vec::from_iter(flag("log.level", "--loglevel", self.loglevel.map(Level::text)))
    }
}

/// The error of a scheduler that was given none.
pub(in crate::commands) fn needs_application() -> Error {
    Error::new(Code::BadInput, "there is no application whose periodic tasks could be sent")
        .checked("--app was not given")
        .hint("cardoon beat -A tasks")
}
