use cardoon_usage::Chinese;

use super::help_texts::TEXTS;

/// What this program says in Chinese of a command line.
pub(super) const CHINESE: Chinese = Chinese { asks_for_help: "cardoon --help", help: TEXTS, reasons: &[] };

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::arguments::Arguments;

    fn said(line: &str) -> String {
        let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
        let error = CHINESE.error(&error);
        let findings = error.findings().join(" · ");
        [error.message(), &findings].join(" | ").trim_end_matches([' ', '|']).to_owned()
    }

    #[test]
    fn usual_slips_are_told_in_chinese() {
        assert_eq!(said("cardoon tsk"), "没有 `tsk` 这个命令 | 是不是想写 task");
        assert_eq!(said("cardoon task list --stat x"), "不认识参数 `--stat` | 是不是想写 --state");
        assert_eq!(said("cardoon task get"), "缺少参数 <ID>");
        assert_eq!(said("cardoon send add --in"), "--in <TIME> 缺少值");
        assert_eq!(
            said("cardoon queue list -o xml"),
            "--output <FORM> 的值 `xml` 无法识别 | 可用的有：table、json、jsonl"
        );
        assert_eq!(
            said("cardoon send add --in 5"),
            "--in <TIME> 的值 `5` 无法识别 | 时间的写法：\"250ms\"、\"30s\"、\"5m\"、\"2h\"、\"1d\"，也可以连写，例如 \"1h30m\""
        );
        assert_eq!(
            said("cardoon send add --in 5s --at 2030-01-31T12:00:00Z"),
            "--in <TIME> 不能和 --at <RFC3339> 一起用"
        );
    }

    #[test]
    fn every_text_of_the_help_has_its_chinese_and_no_other_has() {
        assert_eq!(CHINESE.findings(Arguments::command()), [""; 0]);
    }

    #[test]
    fn the_help_of_a_command_is_chinese_and_its_line_is_still_understood() {
        let command = CHINESE.command(Arguments::command());
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
