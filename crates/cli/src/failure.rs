//! How an error looks.

use std::io::Write as _;

use cardoon_admin::failure::ErrorView;
use cardoon_errors::{Error, Language, Said, described};

use crate::language::choose;
use crate::log;
use crate::output::{Format, json_text};

/// Prints `error` to standard error: for people, or as one JSON object; into the log if programs read that.
pub(crate) fn print(error: &Error, language: Language, format: Format) {
    let text = match format {
        Format::Table if log::is_json() => return log_error(error, language),
        Format::Table => for_people(error, language),
        Format::Json | Format::Jsonl => for_programs(error, language),
    };
    // Nobody is left to be told that standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn log_error(error: &Error, language: Language) {
    let Said { message, causes, findings, hint } = Said::of(error, language);
    tracing::error!(
        target: log::TALK,
        code = %error.code(),
        causes = causes.join("; "),
        checked = findings.join("; "),
        hint,
        "{message}"
    );
}

fn for_people(error: &Error, language: Language) -> String {
    described(error, language, choose(language, "error", "错误"))
}

fn for_programs(error: &Error, language: Language) -> String {
    json_text(&ErrorView::of(error, language)) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_errors::Code;

    fn error() -> Error {
        Error::new(Code::CannotOpenFile, "cannot open \u{1b}[31mtasks.db")
            .source(std::io::Error::from(std::io::ErrorKind::PermissionDenied))
            .checked("folder: there")
            .checked("rights: none")
            .hint("ls -l tasks.db")
    }

    #[test]
    fn an_error_says_cause_findings_hint_and_page_and_no_escape_sequence_comes_through() {
        let expected = "error[CD1101]: cannot open \\u{1b}[31mtasks.db\n  cause: permission denied\n  \
                        checked: folder: there · rights: none\n  hint: ls -l tasks.db\n  docs: cardoon explain CD1101\n";
        assert_eq!(for_people(&error(), Language::English), expected);
    }

    #[test]
    fn an_error_without_a_translation_has_chinese_labels_and_its_title() {
        let text = for_people(&error(), Language::Chinese);
        assert!(text.starts_with("错误[CD1101]：无法打开数据库文件（cannot open"), "{text}");
        assert!(text.contains("原因：权限不够\n"), "{text}");
        assert!(text.contains("建议：ls -l tasks.db"));
    }

    #[test]
    fn an_error_with_a_translation_is_chinese_throughout_in_both_forms() {
        let error = Error::new(Code::UnknownId, "no task has the id a-1")
            .checked("no message, no record, no dead letter")
            .hint("cardoon task list");
        let expected = "错误[CD3004]：没有 id 为 a-1 的任务\n  已检查：没有消息，没有记录，也没有死信\n  \
                        建议：cardoon task list\n  文档：cardoon explain CD3004\n";
        assert_eq!(for_people(&error, Language::Chinese), expected);
        let object: serde_json::Value =
            serde_json::from_str(&for_programs(&error, Language::Chinese)).unwrap();
        assert_eq!(object["error"]["message"], "没有 id 为 a-1 的任务");
        assert_eq!(object["error"]["code"], "CD3004");
    }
}
