use cardoon_errors::Language;

/// The text of this language.
pub(crate) fn choose<T>(language: Language, english: T, chinese: T) -> T {
    language.choose(english, chinese)
}
