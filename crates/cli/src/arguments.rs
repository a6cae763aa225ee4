//! The command line as data.

use std::ffi::OsString;

use cardoon_errors::Language;
use cardoon_settings::Flag;
use clap::{ArgAction, Parser, ValueEnum};

use crate::commands::Command;
use crate::output::Format;

const STATUSES: &str = "Exit status: 0 done, 1 failed, 2 wrong input, 3 not connected, 4 not found, \
                        5 partly done, 6 the application cannot be imported, 130 interrupted";

/// Distributed tasks that are not lost.
#[derive(Debug, Parser)]
#[command(name = "cardoon", version, max_term_width = 100, subcommand_required = true, after_help = STATUSES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Where messages wait, such as sqlite:tasks.db
    #[arg(short, long, global = true, value_name = "URL")]
    pub(crate) broker: Option<String>,
    /// The Python application: a module, such as tasks, or tasks:app
    #[arg(short = 'A', long, global = true, value_name = "APP", env = "CARDOON_APP")]
    pub(crate) app: Option<String>,
    /// The interpreter that has the application and the cardoon package
    #[arg(long, global = true, value_name = "PROGRAM")]
    pub(crate) python: Option<OsString>,
    /// Where results are kept; the broker's store by default
    #[arg(long, global = true, value_name = "URL", alias = "result-backend")]
    pub(crate) results: Option<String>,
    /// The form of the output
    #[arg(short, long, global = true, value_name = "FORM", default_value = "table")]
    pub(crate) output: Format,
    /// Say only what went wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more; twice: still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    /// The form of the log
    #[arg(long, global = true, value_name = "FORM")]
    pub(crate) log_format: Option<LogFormat>,
    /// The language of errors, explanations and help; from LANG by default
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) lang: Option<Lang>,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
}

impl Global {
    /// The interpreter that runs this program is used if no other one is named.
    pub(crate) fn set_host(&mut self, python: Option<OsString>) {
        self.python = self.python.take().or(python);
    }

    /// Of a command's own option and these, the last one counts.
    fn log_flags(&self) -> impl Iterator<Item = Flag> {
        let level = match (self.quiet, self.verbose) {
            (true, _) => flag("log.level", "--quiet", Some("error")),
            (_, 0) => None,
            (_, 1) => flag("log.level", "--verbose", Some("debug")),
            _ => flag("log.level", "--verbose", Some("trace")),
        };
        let format = self.log_format.map(|format| match format {
            LogFormat::Pretty => "pretty",
            LogFormat::Json => "json",
        });
        level.into_iter().chain(flag("log.format", "--log-format", format))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    En,
    Zh,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Pretty,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Arguments {
    pub(crate) fn language(&self) -> Language {
        match self.global.lang {
            Some(Lang::En) => Language::English,
            Some(Lang::Zh) => Language::Chinese,
            None => Language::of_environment(),
        }
    }

    pub(crate) fn output(&self) -> Format {
        self.global.output
    }

    /// What the command line sets of the settings.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let mut flags = self.command.flags();
        flags.extend(flag("broker.url", "--broker", self.global.broker.as_deref()));
        // `migrate --results` names no store.
        let results = self.global.results.as_deref().filter(|url| !url.is_empty());
        flags.extend(flag("results.url", "--results", results));
        flags.extend(self.global.log_flags());
        flags
    }
}

/// A setting, if its option was given.
pub(crate) fn flag(name: &'static str, option: &'static str, value: Option<&str>) -> Option<Flag> {
    value.map(|value| Flag { name, option, value: value.into() })
}
