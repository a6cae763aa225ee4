use std::ffi::OsString;

use cardoon_errors::{Code, Error, Language};
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::failure;
use crate::output::Format;

use super::celery;
use super::chinese::CHINESE;

/// The command line, or the status to end with after help or an error was printed.
pub(crate) fn parse(line: &[OsString]) -> Result<Arguments, u8> {
    let words: Vec<_> = line.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let language = language_of(&words).unwrap_or_else(Language::of_environment);
    CHINESE.read(language, line).map_err(|error: clap::Error| {
        let wants_json = asks_for_json(&words);
        let says_help = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        if let Some(error) = celery::instead(&error) {
            failure::print(&error, language, if wants_json { Format::Json } else { Format::Table });
        } else if error.use_stderr() && wants_json {
            failure::print(&as_error(&error, language), language, Format::Json);
        } else if error.use_stderr() && language == Language::Chinese && !says_help {
            failure::print(&as_error(&error, language), language, Format::Table);
        } else {
            // A reader who has gone away needs no help.
            let _ = error.print();
        }
        if error.use_stderr() { 2 } else { 0 }
    })
}

fn as_error(error: &clap::Error, language: Language) -> Error {
    if language == Language::Chinese {
        return CHINESE.error(error);
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let missing_command = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    let message = if missing_command { "no command was given".into() } else { message };
    Error::new(Code::BadInput, message).hint("cardoon --help")
}

/// Whether the user asked for JSON, although the rest of the line makes no sense.
fn asks_for_json(words: &[String]) -> bool {
    let is_json = |form: &str| form == "json" || form == "jsonl";
    words.windows(2).any(|pair| matches!(pair[0].as_str(), "-o" | "--output") && is_json(&pair[1]))
        || words.iter().any(|word| {
            word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")).is_some_and(is_json)
        })
}

/// The language that the line asks for, if it does.
fn language_of(words: &[String]) -> Option<Language> {
    let pairs = words.windows(2).filter(|pair| pair[0] == "--lang").map(|pair| pair[1].as_str());
    let joined = words.iter().filter_map(|word| word.strip_prefix("--lang="));
    pairs.chain(joined).find_map(|name| match name {
        "en" => Some(Language::English),
        "zh" => Some(Language::Chinese),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_tree_of_commands_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_that_a_page_names_can_be_typed() {
        for code in Code::ALL {
            for language in [Language::English, Language::Chinese] {
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

    /// The documents that show commands to type.
    const DOCUMENTS: [&str; 4] = [
        include_str!("../../../../README.md"),
        include_str!("../../../../README.zh-CN.md"),
        include_str!("../../../../docs/quickstart.md"),
        include_str!("../../../../docs/zh/quickstart.md"),
    ];

    /// Not a line of a `Cargo.toml`.
    fn is_command(line: &str) -> bool {
        line.starts_with("cardoon ") && !line.starts_with("cardoon = ")
    }

    #[test]
    fn every_command_that_a_document_shows_can_be_typed() {
        let mut typed = 0;
        for document in DOCUMENTS {
            let inline = document.split('`').filter(|piece| !piece.contains('\n'));
            for line in document.lines().chain(inline).filter(|line| is_command(line)) {
                let line = line.split(" #").next().unwrap_or_default().trim();
                let line = line.replace("'[2, 3]'", "[2,3]").replace("CD####", "CD1101").replace('\'', "");
                let parsed = Arguments::try_parse_from(words(&line));
                // A sentence may name a command without its arguments.
                let is_named = |error: &clap::Error| error.kind() == ErrorKind::MissingRequiredArgument;
                let understood =
                    parsed.as_ref().err().is_none_or(|error| !error.use_stderr() || is_named(error));
                assert!(understood, "{line}: {parsed:?}");
                typed += 1;
            }
        }
        assert!(typed > 30, "{typed}");
    }

    #[test]
    fn the_wish_for_json_is_seen_in_a_broken_line() {
        assert!(asks_for_json(&words("cardoon tsk -o json")));
        assert!(asks_for_json(&words("cardoon --output=jsonl tsk")));
        assert!(asks_for_json(&words("cardoon -ojson")));
        assert!(!asks_for_json(&words("cardoon -o table send json")));
    }
    #[test]
    fn the_wish_for_a_language_is_seen_in_a_broken_line() {
        assert_eq!(language_of(&words("cardoon tsk --lang zh")), Some(Language::Chinese));
        assert_eq!(language_of(&words("cardoon --lang=en tsk")), Some(Language::English));
        assert_eq!(language_of(&words("cardoon tsk")), None);
    }
}
