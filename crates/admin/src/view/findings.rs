use cardoon_errors::{Finding, Language, Severity, sentence};
use serde::Serialize;
use utoipa::ToSchema;

use crate::failure::{ErrorBody, ErrorView};

/// What one check of the doctor found.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub struct FindingLine {
    #[schema(example = "server")]
    pub check: &'static str,
    /// `fine`, `unchecked`, `warning` or `error`.
    #[schema(example = "fine")]
    pub severity: &'static str,
    pub message: String,
    /// What is wrong, if something is.
    pub error: Option<ErrorBody>,
}

impl FindingLine {
    pub fn of(finding: &Finding, language: Language) -> Self {
        let error = finding.trouble().map(|error| ErrorView::of(error, language).error);
        Self {
            check: finding.check(),
            severity: match finding.severity() {
                Severity::Fine => "fine",
                Severity::Unchecked => "unchecked",
                Severity::Warning => "warning",
                Severity::Error => "error",
            },
            message: error.as_ref().map_or_else(|| said(finding, language), |error| error.message.clone()),
            error,
        }
    }
}

/// The sentence of a finding that is no error, in `language` if it is known there.
pub fn said(finding: &Finding, language: Language) -> String {
    sentence(language, finding.sentence()).unwrap_or_else(|| finding.sentence().to_owned())
}
