//! The help in Chinese: the tree of commands as it is, with its texts exchanged.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;

use clap::builder::{PossibleValue, Resettable, StyledStr};
use clap::{Arg, Command};

/// Like clap's own, with a Chinese heading.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}\n";

type Texts = [(&'static str, &'static str)];

/// `command` with its help in Chinese.
pub(crate) fn in_chinese(command: Command, texts: &Texts) -> Command {
    Translator { known: texts.iter().copied().collect() }.command(built(command))
}

/// Texts of the help of `command` that `texts` lack, and those that they have too many.
pub(crate) fn findings(command: Command, texts: &Texts) -> Vec<String> {
    let (mut needed, mut explanations) = (BTreeSet::new(), BTreeSet::new());
    collect(&built(command), &mut needed, &mut explanations);
    let mut known = BTreeSet::new();
    let twice = texts.iter().map(|(english, _)| (*english).to_owned());
    let twice: Vec<_> = twice.filter(|english| !known.insert(english.clone())).collect();
    let missing = needed.difference(&known).cloned().collect();
    let is_useless = |text: &&String| !needed.contains(*text) && !explanations.contains(*text);
    let useless = known.iter().filter(is_useless).cloned().collect();
    let say = |what: &str, texts: Vec<String>| -> Vec<String> {
        texts.into_iter().map(|text| format!("{what}: {text}")).collect()
    };
    [say("is there twice", twice), say("has no Chinese", missing), say("is not said", useless)].concat()
}

/// Only then it has the options that clap adds.
fn built(mut command: Command) -> Command {
    command.build();
    command
}

fn collect(command: &Command, needed: &mut BTreeSet<String>, explanations: &mut BTreeSet<String>) {
    let texts = [command.get_about(), command.get_after_help()];
    needed.extend(texts.into_iter().flatten().map(ToString::to_string));
    for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
        needed.extend(argument.get_help().map(ToString::to_string));
        needed.extend(argument.get_help_heading().map(str::to_owned));
        let values = argument.get_possible_values();
        explanations.extend(values.iter().filter_map(PossibleValue::get_help).map(ToString::to_string));
    }
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        collect(command, needed, explanations);
    }
}

struct Translator {
    known: HashMap<&'static str, &'static str>,
}

impl Translator {
    fn command(&self, command: Command) -> Command {
        let about = self.styled(command.get_about());
        let after = self.styled(command.get_after_help());
        command
            .about(about)
            .after_help(after)
            .help_template(TEMPLATE)
            .subcommand_help_heading("命令")
            .mut_args(|argument| self.argument(argument))
            .mut_subcommands(|command| self.command(command))
    }

    /// What clap would name in English behind the text is part of the text.
    fn argument(&self, argument: Arg) -> Arg {
        let mut help = argument.get_help().map(|text| self.chinese(&text.to_string())).unwrap_or_default();
        let notes = [
            ("环境变量", variable(&argument)),
            ("默认", defaults(&argument)),
            ("可选值", self.possible_values(&argument)),
        ];
        for (label, values) in notes.iter().filter(|(_, values)| !values.is_empty()) {
            // Writing to a text cannot fail.
            let _ = write!(help, " [{label}：{}]", values.join("、"));
        }
        let heading = self.heading(&argument);
        let shows_variable = !argument.is_hide_env_values_set();
        argument
            .help(help)
            .long_help(Resettable::Reset)
            .help_heading(heading)
            .hide_env(!shows_variable)
            .hide_default_value(true)
            .hide_possible_values(true)
    }

    fn heading(&self, argument: &Arg) -> String {
        match argument.get_help_heading() {
            Some(heading) => self.chinese(heading),
            None if argument.is_positional() => "参数".into(),
            None => "选项".into(),
        }
    }

    fn possible_values(&self, argument: &Arg) -> Vec<String> {
        let hidden = argument.is_hide_possible_values_set() || !argument.get_action().takes_values();
        let values = argument.get_possible_values();
        values.iter().filter(|_| !hidden).map(|value| self.explained(value)).collect()
    }

    fn explained(&self, value: &PossibleValue) -> String {
        let name = value.get_name();
        match value.get_help().and_then(|text| self.known.get(text.to_string().as_str())) {
            Some(text) => format!("{name}（{text}）"),
            None => name.to_owned(),
        }
    }

    fn styled(&self, text: Option<&StyledStr>) -> Resettable<StyledStr> {
        text.map(|text| self.chinese(&text.to_string()).into()).into()
    }

    /// What has no Chinese stays English.
    fn chinese(&self, english: &str) -> String {
        self.known.get(english).map_or_else(|| english.to_owned(), |chinese| (*chinese).to_owned())
    }
}

/// The variable of the environment whose value must not be shown. Of others clap shows name and value.
fn variable(argument: &Arg) -> Vec<String> {
    let name = argument.get_env().filter(|_| argument.is_hide_env_values_set());
    name.map(|name| name.to_string_lossy().into_owned()).into_iter().collect()
}

fn defaults(argument: &Arg) -> Vec<String> {
    let hidden = argument.is_hide_default_value_set() || !argument.get_action().takes_values();
    let values = argument.get_default_values().iter().filter(|_| !hidden);
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &Texts = &[
        ("Sends letters", "寄信"),
        ("How", "方式"),
        ("By a train", "火车"),
        ("The secret", "密钥"),
        ("Print help (see more with '--help')", "显示帮助"),
    ];

    fn letters() -> Command {
        let by = |name: &'static str, help| PossibleValue::new(name).help(help);
        let how = Arg::new("how").long("how").help("How").default_value("rail");
        let how = how.value_parser([by("rail", "By a train"), by("air", "By a plane")]);
        let secret = Arg::new("secret").long("secret").help("The secret");
        let secret = secret.env("LETTERS_SECRET").hide_env_values(true);
        Command::new("letters").about("Sends letters").args([how, secret])
    }

    #[test]
    fn texts_are_exchanged_and_values_named_behind_them() {
        let help = in_chinese(letters(), TEXTS).render_help().to_string();
        for part in [
            "寄信\n\n用法：letters [OPTIONS]\n",
            "选项:\n",
            "方式 [默认：rail] [可选值：rail（火车）、air]\n",
            "密钥 [环境变量：LETTERS_SECRET]\n",
            "显示帮助\n",
        ] {
            assert!(help.contains(part), "{part}: {help}");
        }
    }

    #[test]
    fn what_is_missing_twice_or_useless_is_found() {
        assert!(findings(letters(), TEXTS).is_empty());
        let more = [&TEXTS[1..], &[("How", "怎么"), ("Where", "地点")]].concat();
        let expected = ["is there twice: How", "has no Chinese: Sends letters", "is not said: Where"];
        assert_eq!(findings(letters(), &more), expected);
    }
}
