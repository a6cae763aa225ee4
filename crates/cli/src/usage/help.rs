//! The help in Chinese: the tree of commands as it is, with its texts exchanged.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use clap::builder::{Resettable, StyledStr};
use clap::{Arg, Command};

use super::help_texts::TEXTS;

/// Like clap's own, with a Chinese heading.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}\n";

/// `command` with its help in Chinese.
pub(super) fn in_chinese(mut command: Command) -> Command {
    // Only then it has the options that clap adds.
    command.build();
    translated(command)
}

fn translated(command: Command) -> Command {
    let about = styled(command.get_about());
    let after = styled(command.get_after_help());
    command
        .about(about)
        .after_help(after)
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .mut_args(translated_argument)
        .mut_subcommands(translated)
}

/// Default and possible values are part of the text, because clap would name them in English.
fn translated_argument(argument: Arg) -> Arg {
    let mut help = argument.get_help().map(|text| chinese(&text.to_string())).unwrap_or_default();
    for (label, values) in [("默认", defaults(&argument)), ("可选值", possible_values(&argument))] {
        if !values.is_empty() {
            let values = values.join("、");
            // Writing to a text cannot fail.
            let _ = write!(help, " [{label}：{values}]");
        }
    }
    let heading = match argument.get_help_heading() {
        Some(heading) => chinese(heading),
        None if argument.is_positional() => "参数".into(),
        None => "选项".into(),
    };
    argument
        .help(help)
        .long_help(Resettable::Reset)
        .help_heading(heading)
        .hide_default_value(true)
        .hide_possible_values(true)
}

fn defaults(argument: &Arg) -> Vec<String> {
    let hidden = argument.is_hide_default_value_set() || !argument.get_action().takes_values();
    let values = argument.get_default_values().iter().filter(|_| !hidden);
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

fn possible_values(argument: &Arg) -> Vec<String> {
    let hidden = argument.is_hide_possible_values_set() || !argument.get_action().takes_values();
    let values = argument.get_possible_values().into_iter().filter(|_| !hidden);
    values.map(|value| value.get_name().to_owned()).collect()
}

fn styled(text: Option<&StyledStr>) -> Resettable<StyledStr> {
    text.map(|text| chinese(&text.to_string()).into()).into()
}

/// What has no translation stays English.
fn chinese(english: &str) -> String {
    static KNOWN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| TEXTS.iter().copied().collect());
    KNOWN.get(english).map_or_else(|| english.to_owned(), |chinese| (*chinese).to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::arguments::Arguments;

    fn texts(command: &Command, all: &mut BTreeSet<String>) {
        all.extend(command.get_about().map(ToString::to_string));
        all.extend(command.get_after_help().map(ToString::to_string));
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            all.extend(argument.get_help().map(ToString::to_string));
            all.extend(argument.get_help_heading().map(str::to_owned));
        }
        for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
            texts(command, all);
        }
    }

    #[test]
    fn every_text_of_the_help_has_its_chinese_and_no_other_has() {
        let mut command = Arguments::command();
        command.build();
        let mut all = BTreeSet::new();
        texts(&command, &mut all);
        let known: BTreeSet<_> = TEXTS.iter().map(|(english, _)| (*english).to_owned()).collect();
        assert_eq!(known.len(), TEXTS.len(), "a text is translated twice");
        let missing: Vec<_> = all.difference(&known).collect();
        let useless: Vec<_> = known.difference(&all).collect();
        assert!(missing.is_empty() && useless.is_empty(), "missing: {missing:#?}\nuseless: {useless:#?}");
    }

    #[test]
    fn the_help_of_a_command_is_chinese_and_its_line_is_still_understood() {
        let command = in_chinese(Arguments::command());
        let error = command.clone().try_get_matches_from(["cardoon", "queue", "peek", "-h"]).unwrap_err();
        let text = error.to_string();
        for part in ["用法：cardoon queue peek", "参数:", "选项:", "[默认：20]", "可选值：table、json、jsonl"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.ends_with("never]\n"), "{text:?}");
        assert!(!text.contains("default") && !text.contains("Print"), "{text}");
        command
            .try_get_matches_from(["cardoon", "queue", "peek", "mail", "--limit", "3", "-o", "json"])
            .unwrap();
    }
}
