//! The pages of the codes, compiled in.

use crate::Code;

/// A language that Cardoon speaks to its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// Chinese if `locale` (as in `LANG`) asks for it, else English.
    pub fn from_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("zh") { Self::Chinese } else { Self::English }
    }

    /// The language of the first locale variable that is set.
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        Self::from_locale(&locale.unwrap_or_default())
    }

    /// The text of this language.
    pub fn choose<T>(self, english: T, chinese: T) -> T {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// The page of `code`: meaning, causes, what to check, the next command. Markdown.
pub fn page(code: Code, language: Language) -> &'static str {
    match language {
        Language::English => code.page_in_english(),
        Language::Chinese => code.page_in_chinese(),
    }
}

/// The title of `code` in `language`: the heading of its page.
pub fn title(code: Code, language: Language) -> &'static str {
    let heading = page(code, language).lines().next().unwrap_or_default();
    let after_code = heading.split_once([':', '：']).map_or(heading, |(_, title)| title);
    after_code.trim()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    const LANGUAGES: [(Language, &str, [&str; 3]); 2] = [
        (Language::English, "en", ["## Likely causes", "## What to check", "## Next"]),
        (Language::Chinese, "zh", ["## 常见原因", "## 检查", "## 下一步"]),
    ];

    #[test]
    fn every_page_belongs_to_a_code() {
        for (_, folder, _) in LANGUAGES {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pages").join(folder);
            let found: BTreeSet<_> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            assert_eq!(found, Code::ALL.iter().map(|code| format!("{code}.md")).collect());
        }
    }

    #[test]
    fn every_page_has_its_title_all_sections_and_a_command() {
        for (language, _, sections) in LANGUAGES {
            for code in Code::ALL {
                let text = page(*code, language);
                assert!(text.starts_with(&format!("# {code}")), "{code}");
                for section in sections {
                    assert!(text.contains(section), "{code} lacks {section}");
                }
                assert!(text.lines().any(|line| line.starts_with("    cardoon ")), "{code} names no command");
            }
        }
    }

    #[test]
    fn a_page_is_headed_by_the_title_of_its_code() {
        for code in Code::ALL {
            assert_eq!(title(*code, Language::English), code.title());
            assert!(!title(*code, Language::Chinese).is_ascii(), "{code}");
        }
    }

    #[test]
    fn the_locale_chooses_the_language() {
        assert_eq!(Language::from_locale("zh_CN.UTF-8"), Language::Chinese);
        assert_eq!(Language::from_locale("C"), Language::English);
    }
}
