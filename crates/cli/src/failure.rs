//! How an error looks.

use std::fmt::Write as _;
use std::io::Write as _;

use cardoon_errors::{Applied, Error, Language, title};
use serde_json::json;

use crate::language::choose;
use crate::output::{Format, clean, json_text};

/// Prints `error` to standard error: for people, or as one JSON object.
pub(crate) fn print(error: &Error, language: Language, format: Format) {
    let text = match format {
        Format::Table => for_people(error, language),
        Format::Json | Format::Jsonl => for_programs(error, language),
    };
    // Nobody is left to be told that standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn for_people(error: &Error, language: Language) -> String {
    let code = error.code();
    let message = clean(error.message());
    let mut text = match language {
        Language::English => format!("error[{code}]: {message}\n"),
        Language::Chinese => format!("错误[{code}]：{}（{message}）\n", title(code, language)),
    };
    let mut line = |label: &str, content: &str| {
        let _ = writeln!(text, "  {label}{content}");
    };
    for cause in error.causes() {
        line(choose(language, "cause: ", "原因："), &clean(&cause));
    }
    if !error.findings().is_empty() {
        let findings: Vec<_> = error.findings().iter().map(|finding| clean(finding)).collect();
        line(choose(language, "checked: ", "已检查："), &findings.join(" · "));
    }
    if error.was_applied() == Applied::Unknown {
        let note = choose(language, "whether it was done is not known", "是否已经执行无法确定");
        line(choose(language, "note: ", "注意："), note);
    }
    if let Some(hint) = error.next_step() {
        line(choose(language, "hint: ", "建议："), &clean(hint));
    }
    line(choose(language, "docs: ", "文档："), &format!("cardoon explain {code}"));
    text
}

fn for_programs(error: &Error, language: Language) -> String {
    let object = json!({ "error": {
        "code": error.code().to_string(),
        "title": title(error.code(), language),
        "kind": error.kind().to_string(),
        "message": error.message(),
        "applied": match error.was_applied() {
            Applied::No => "no",
            Applied::Yes => "yes",
            Applied::Unknown => "unknown",
        },
        "causes": error.causes(),
        "checked": error.findings(),
        "hint": error.next_step(),
        "docs": format!("cardoon explain {}", error.code()),
    }});
    json_text(&object) + "\n"
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
    fn a_chinese_error_has_chinese_labels_and_title() {
        let text = for_people(&error(), Language::Chinese);
        assert!(text.starts_with("错误[CD1101]：无法打开数据库文件（cannot open"), "{text}");
        assert!(text.contains("建议：ls -l tasks.db"));
    }
}
