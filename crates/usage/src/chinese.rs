use std::ffi::OsString;

use cardoon_errors::{Error, Language};
use clap::{Command, CommandFactory, FromArgMatches};

use crate::{help, slips};

/// What a program says of its command line, in Chinese. Texts are pairs, English and Chinese.
#[derive(Debug, Clone, Copy)]
pub struct Chinese {
    /// What to type for help, such as `cardoon --help`.
    pub asks_for_help: &'static str,
    /// The texts of the help.
    pub help: &'static [(&'static str, &'static str)],
    /// Why a value is not understood, beside what the standard library and clap say of numbers, addresses and sizes.
    pub reasons: &'static [(&'static str, &'static str)],
}

impl Chinese {
    /// Reads `line`, whose first word is the program's name. If it asks for help, that is in `language`.
    pub fn read<A, I>(&self, language: Language, line: I) -> clap::error::Result<A>
    where
        A: CommandFactory + FromArgMatches,
        I: IntoIterator<Item: Into<OsString> + Clone>,
    {
        let command = match language {
            Language::English => A::command(),
            Language::Chinese => self.command(A::command()),
        };
        A::from_arg_matches(&command.try_get_matches_from(line)?)
    }

    /// `command` with its help in Chinese. What has no Chinese stays English, but for explanations of values, which are left out.
    pub fn command(&self, command: Command) -> Command {
        help::in_chinese(command, self.help)
    }

    /// What is wrong with a command line.
    pub fn error(&self, error: &clap::Error) -> Error {
        slips::in_chinese(error, self)
    }

    /// For a test of the program: the texts of the help of `command` that have no Chinese, and Chinese that no help says or that
    /// is there twice. Explanations of values may be without.
    pub fn findings(&self, command: Command) -> Vec<String> {
        help::findings(command, self.help)
    }
}
