//! How an error looks.

use std::io::Write as _;

use cardoon_errors::{Error, Language, described};

/// Prints `error` to standard error, in the language of the locale.
pub(crate) fn print(error: &Error) {
    let language = Language::of_environment();
    let text = described(error, language, language.choose("error", "错误"));
    // Nobody is left to be told that standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
