use cardoon_usage::Chinese;

use super::help_texts::TEXTS;

/// What this program says in Chinese of a command line.
pub(super) const CHINESE: Chinese =
    Chinese { asks_for_help: "cardoon data --help", help: TEXTS, reasons: REASONS };

/// Why values of its own are not understood.
const REASONS: &[(&str, &str)] = &[
    (
        "a kind is given as COLUMN=boolean|integer|float|date|timestamp|text",
        "类型的写法：列名=boolean|integer|float|date|timestamp|text",
    ),
    ("it is written HOST:PORT, as in 127.0.0.1:8787", "地址的写法：主机:端口，例如 127.0.0.1:8787"),
];

#[cfg(test)]
mod tests {
    use clap::{Arg, Command, CommandFactory as _, Parser as _};

    use super::*;
    use crate::Arguments;

    fn said(words: &[&str]) -> String {
        let words = std::iter::once("cardoon data").chain(words.iter().copied());
        let error = CHINESE.error(&Arguments::try_parse_from(words).unwrap_err());
        let findings = error.findings().join(" · ");
        [error.message(), &findings].join(" | ").trim_end_matches([' ', '|']).to_owned()
    }

    #[test]
    fn usual_slips_are_told_in_chinese() {
        assert_eq!(said(&["sq"]), "没有 `sq` 这个命令 | 是不是想写 sql");
        assert_eq!(said(&["sql", "q", "--memry", "x"]), "不认识参数 `--memry` | 是不是想写 --memory");
        assert_eq!(said(&["sql"]), "缺少参数 <QUERY>");
        assert_eq!(
            said(&["sql", "q", "--bad-rows", "x"]),
            "--bad-rows <BAD_ROWS> 的值 `x` 无法识别 | 可用的有：fail、skip"
        );
        assert_eq!(
            said(&["sql", "q", "-o", "csv", "--out", "rows.csv"]),
            "--output <OUTPUT> 不能和 --out <FILE> 一起用"
        );
        assert_eq!(
            said(&["cluster", "--workers", "300"]),
            "--workers <NUMBER> 的值 `300` 无法识别 | 300 不在 1..=256 之内"
        );
    }

    #[test]
    fn every_reason_is_told_in_chinese() {
        let of = |line: &str| said(&line.split(' ').collect::<Vec<_>>());
        for (line, reason) in [
            ("cluster --workers x", "这里要写整数"),
            ("demo logs --gb x", "这里要写数字"),
            ("cluster --bind x", "地址的写法：127.0.0.1:8787"),
            ("sql q --delimiter ab", "只能写一个字符"),
            (
                "sql q --memory x",
                "大小的写法：\"512B\"、\"64KiB\"、\"16MiB\"、\"1GiB\"（kB、MB、GB 按 1000 进位）",
            ),
            ("sql q --type x", REASONS[0].1),
            ("sql q --cluster a,b", REASONS[1].1),
        ] {
            assert!(of(line).ends_with(&format!(" 无法识别 | {reason}")), "{line}: {}", of(line));
        }
    }

    #[test]
    fn every_text_of_the_help_has_its_chinese_and_no_other_has() {
        assert_eq!(CHINESE.findings(Arguments::command()), [""; 0]);
    }

    #[test]
    fn every_explanation_of_a_value_has_its_chinese() {
        let mut command = Arguments::command();
        command.build();
        for_each_command(&mut command, "cardoon data", &mut |path, command| {
            let values = command.get_arguments().flat_map(Arg::get_possible_values);
            for help in values.filter_map(|value| value.get_help().map(ToString::to_string)) {
                assert!(TEXTS.iter().any(|(english, _)| *english == help), "{path}: {help}");
            }
        });
    }

    fn for_each_command(command: &mut Command, path: &str, check: &mut impl FnMut(&str, &mut Command)) {
        check(path, command);
        for command in command.get_subcommands_mut().filter(|command| command.get_name() != "help") {
            let path = format!("{path} {}", command.get_name());
            for_each_command(command, &path, check);
        }
    }

    #[test]
    fn no_help_of_a_command_has_an_english_word_of_clap() {
        let mut command = CHINESE.command(Arguments::command());
        for_each_command(&mut command, "cardoon data", &mut |path, command| {
            let text = command.render_long_help().to_string();
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
        let command = CHINESE.command(Arguments::command());
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
