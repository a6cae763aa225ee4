use cardoon_errors::Language;

/// The language of the first locale variable that is set.
pub(crate) fn of_environment() -> Language {
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty());
    Language::from_locale(&locale.unwrap_or_default())
}

/// The text of this language.
pub(crate) fn choose<T>(language: Language, english: T, chinese: T) -> T {
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}
