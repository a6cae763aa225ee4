//! What the codes of errors mean: their pages, for whoever asks.

use cardoon_errors::{Code, Error, Language, Result, page, title};
use serde::Serialize;
use utoipa::ToSchema;

/// What a code means.
#[derive(Debug, Serialize, ToSchema)]
pub struct Explained {
    #[schema(example = "CD1001")]
    pub code: String,
    pub title: &'static str,
    #[schema(example = "Unavailable")]
    pub kind: String,
    /// Meaning, likely causes, what to check, the next command, in Markdown. Left out in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<&'static str>,
}

/// The page of a code, as an error shows it.
///
/// Errors: `CD4005` if there is no such code.
pub fn explain(code: &str, language: Language) -> Result<Explained> {
    let code = code.parse().map_err(|()| {
        Error::new(Code::NoSuchCode, format!("no error has the code `{}`", crate::text::cut(code, 40)))
            .hint("all codes: cardoon explain")
    })?;
    Ok(Explained { page: Some(page(code, language)), ..heading(code, language) })
}

/// All codes, without their pages.
pub fn all(language: Language) -> Vec<Explained> {
    Code::ALL.iter().map(|code| heading(*code, language)).collect()
}

fn heading(code: Code, language: Language) -> Explained {
    Explained {
        code: code.to_string(),
        title: title(code, language),
        kind: code.kind().to_string(),
        page: None,
    }
}
