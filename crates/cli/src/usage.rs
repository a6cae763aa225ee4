//! Command lines that cannot be read, and those that only ask for help.

use std::ffi::OsString;
use std::process::ExitCode;

use cardoon_errors::{Code, Error};
use clap::Parser as _;
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::output::Format;
use crate::{failure, language};

/// The command line, or the status to end with after help or an error was printed.
pub(crate) fn parse() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|error| {
        let wants_json = asks_for_json(std::env::args_os());
        if wants_json && error.use_stderr() {
            failure::print(&as_error(&error), language::of_environment(), Format::Json);
        } else {
            // A reader who has gone away needs no help.
            let _ = error.print();
        }
        ExitCode::from(if error.use_stderr() { 2 } else { 0 })
    })
}

fn as_error(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let missing_command = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let message = if missing_command { "no command was given".into() } else { message };
    Error::new(Code::BadInput, message).hint("cardoon --help")
}

/// The form that the user asked for, although the rest of the line makes no sense.
fn asks_for_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let words: Vec<_> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    let is_json = |form: &str| form == "json" || form == "jsonl";
    words.windows(2).any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && is_json(&pair[1]))
        || words.iter().any(|word| {
            word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")).is_some_and(is_json)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn words(line: &str) -> impl Iterator<Item = OsString> + use<> {
        line.split(' ').map(OsString::from).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn the_tree_of_commands_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_that_a_page_names_can_be_typed() {
        for code in Code::ALL {
            for language in [cardoon_errors::Language::English, cardoon_errors::Language::Chinese] {
                for line in cardoon_errors::page(*code, language).lines() {
                    let Some(command) = line.strip_prefix("    cardoon ") else { continue };
                    let line = format!("cardoon {}", command.replace("'[2, 3]'", "[2,3]").replace('\'', ""));
                    let parsed = Arguments::try_parse_from(words(&line));
                    let understood = parsed.as_ref().err().is_none_or(|error| !error.use_stderr());
                    assert!(understood, "{code}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_wish_for_json_is_seen_in_a_broken_line() {
        assert!(asks_for_json(words("cardoon tsk -o json")));
        assert!(asks_for_json(words("cardoon --output=jsonl tsk")));
        assert!(asks_for_json(words("cardoon -ojson")));
        assert!(!asks_for_json(words("cardoon -o table send json")));
    }
}
