//! What an error says to programs.

use cardoon_errors::{Applied, Error, Language, Said, title};
use serde::Serialize;
use utoipa::ToSchema;

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
