//! What an error says to people.

use std::fmt::Write as _;

use crate::text::cut;
use crate::{Applied, Error, Language, phrase, title};

/// Longest piece of an error that is shown to people: it may repeat what somebody typed or sent.
const LONGEST: usize = 1000;

/// An error in the language of its reader. What has no translation stays English.
pub struct Said {
    /// What happened; a title in front of it if only that is translated.
    pub message: String,
    pub causes: Vec<String>,
    pub findings: Vec<String>,
    pub hint: Option<String>,
}

impl Said {
    pub fn of(error: &Error, language: Language) -> Self {
        let code = error.code();
        let known = |text: &str| phrase(code, language, text);
        let said = |text: &str| known(text).unwrap_or_else(|| text.to_owned());
        let causes = causes(error);
        let message = match language {
            Language::English => error.message().to_owned(),
            Language::Chinese if is_chinese(error.message()) => error.message().to_owned(),
            Language::Chinese => known(error.message())
                .unwrap_or_else(|| format!("{}（{}）", title(code, language), error.message())),
        };
        Self {
            message,
            findings: findings(error, &causes).map(said).collect(),
            causes: causes.iter().map(|cause| said(cause)).collect(),
            hint: error.next_step().map(said),
        }
    }
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

/// The causes without those that only repeat the one before, as it is or with SQLite's number.
fn causes(error: &Error) -> Vec<String> {
    let mut causes = error.causes();
    causes.dedup_by(|cause, before| cause == before || cause.starts_with("Error code "));
    causes
}

/// The findings that no cause says already.
fn findings<'a>(error: &'a Error, causes: &[String]) -> impl Iterator<Item = &'a str> {
    error.findings().iter().map(String::as_str).filter(|finding| causes.iter().all(|cause| cause != finding))
}

/// All that `error` says to people, in lines; `label` stands in front of its code.
pub fn described(error: &Error, language: Language, label: &str) -> String {
    let code = error.code();
    let said = Said::of(error, language);
    let message = cut(&said.message, LONGEST);
    let mut text = match language {
        Language::English => format!("{label}[{code}]: {message}\n"),
        Language::Chinese => format!("{label}[{code}]：{message}\n"),
    };
    let mut line = |label: &str, content: &str| {
        let _ = writeln!(text, "  {label}{content}");
    };
    for cause in &said.causes {
        line(language.choose("cause: ", "原因："), &cut(cause, LONGEST));
    }
    if !said.findings.is_empty() {
        let findings: Vec<_> = said.findings.iter().map(|finding| cut(finding, LONGEST)).collect();
        line(language.choose("checked: ", "已检查："), &findings.join(" · "));
    }
    if error.was_applied() == Applied::Unknown {
        let note = language.choose("whether it was done is not known", "不知道操作是否已经生效");
        line(language.choose("note: ", "注意："), note);
    }
    if let Some(hint) = &said.hint {
        line(language.choose("hint: ", "建议："), &cut(hint, LONGEST));
    }
    line(language.choose("docs: ", "文档："), &format!("cardoon explain {code}"));
    text
}
