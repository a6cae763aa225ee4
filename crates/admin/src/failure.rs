//! What an error says: in the language of its reader, for people and for programs.

use cardoon_errors::{Applied, Error, Language, phrase, title};
use serde::Serialize;
use utoipa::ToSchema;

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

/// An error for programs. The texts are for people, so they are in their language; programs look at `code`, `kind` and
/// `applied`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorView {
    pub error: ErrorBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    #[schema(example = "CD3004")]
    pub code: String,
    pub title: &'static str,
    #[schema(example = "NotFound")]
    pub kind: String,
    pub message: String,
    /// Whether the operation took effect: `no`, `yes` or `unknown`.
    #[schema(example = "no")]
    pub applied: &'static str,
    pub causes: Vec<String>,
    pub checked: Vec<String>,
    /// The next command or action.
    pub hint: Option<String>,
    #[schema(example = "cardoon explain CD3004")]
    pub docs: String,
}

impl ErrorView {
    pub fn of(error: &Error, language: Language) -> Self {
        let said = Said::of(error, language);
        Self {
            error: ErrorBody {
                code: error.code().to_string(),
                title: title(error.code(), language),
                kind: error.kind().to_string(),
                message: said.message,
                applied: match error.was_applied() {
                    Applied::No => "no",
                    Applied::Yes => "yes",
                    Applied::Unknown => "unknown",
                },
                causes: said.causes,
                checked: said.findings,
                hint: said.hint,
                docs: format!("cardoon explain {}", error.code()),
            },
        }
    }
}
