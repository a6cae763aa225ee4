//! The help in Chinese: the tree of commands as it is, with its texts exchanged.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use clap::builder::{PossibleValue, Resettable, StyledStr};
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
    command
        .about(about)
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .mut_args(translated_argument)
        .mut_subcommands(translated)
}

/// What clap would name in English behind the text is part of the text.
fn translated_argument(argument: Arg) -> Arg {
    let mut help = argument.get_help().map(|text| chinese(&text.to_string())).unwrap_or_default();
    let notes = [
        ("环境变量", variable(&argument)),
        ("默认", defaults(&argument)),
        ("可选值", possible_values(&argument)),
    ];
    for (label, values) in notes {
        if !values.is_empty() {
            let values = values.join("、");
            // Writing to a text cannot fail.
            let _ = write!(help, " [{label}：{values}]");
        }
    }
    let heading = if argument.is_positional() { "参数" } else { "选项" };
    argument
        .help(help)
        .long_help(Resettable::Reset)
        .help_heading(heading)
        .hide_env(true)
        .hide_default_value(true)
        .hide_possible_values(true)
}

fn variable(argument: &Arg) -> Vec<String> {
    argument.get_env().map(|name| name.to_string_lossy().into_owned()).into_iter().collect()
}

fn defaults(argument: &Arg) -> Vec<String> {
    let hidden = argument.is_hide_default_value_set() || !argument.get_action().takes_values();
    let values = argument.get_default_values().iter().filter(|_| !hidden);
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

fn possible_values(argument: &Arg) -> Vec<String> {
    let hidden = argument.is_hide_possible_values_set() || !argument.get_action().takes_values();
    argument.get_possible_values().iter().filter(|_| !hidden).map(explained).collect()
}

fn explained(value: &PossibleValue) -> String {
    let name = value.get_name();
    value
        .get_help()
        .map_or_else(|| name.to_owned(), |text| format!("{name}（{}）", chinese(&text.to_string())))
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
    use crate::Arguments;

    fn texts(command: &Command, all: &mut BTreeSet<String>) {
        all.extend(command.get_about().map(ToString::to_string));
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            all.extend(argument.get_help().map(ToString::to_string));
            let values = argument.get_possible_values();
            all.extend(values.iter().filter_map(PossibleValue::get_help).map(ToString::to_string));
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

    /// Calls `check` with the path and the text of the long help of each command, in Chinese.
    fn for_each_help(command: &mut Command, path: &str, check: &mut impl FnMut(&str, &str)) {
        check(path, &command.render_long_help().to_string());
        for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let path = format!("{path} {}", command.get_name());
            for_each_help(command, &path, check);
        }
    }

    #[test]
    fn no_help_of_a_command_has_an_english_word_of_clap() {
        for_each_help(&mut in_chinese(Arguments::command()), "cardoon data", &mut |path, text| {
            assert!(text.contains(&format!("用法：{path} ")), "{text}");
            for word in
                ["Usage", "Options:", "Arguments:", "Commands:", "default", "ossible", "env:", "Print"]
            {
                assert!(!text.contains(word), "{path}, {word}: {text}");
            }
        });
    }

    #[test]
    fn values_are_named_behind_the_text() {
        let command = in_chinese(Arguments::command());
        let text = command.try_get_matches_from(["cardoon data", "sql", "-h"]).unwrap_err().to_string();
        // Lines break where the terminal ends.
        let text: String = text.split_whitespace().collect();
        for part in [
            "[默认：table][可选值：table（给人看的表格，只显示前1000行）、json（一个对象数组）、",
            "、csv、parquet]",
            "[环境变量：CARDOON_DATA_TOKEN]",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
