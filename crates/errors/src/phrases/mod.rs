//! What errors say, in other languages. Crates write their errors in English; whoever shows one asks here.

mod chinese;
mod pattern;

use std::borrow::Cow;

use crate::{Code, Language, title};

/// An English text with `{}` for what varies, and its translation with `{0}`, `{1}`, …; `{0~}` stands for a piece that
/// is translated as well.
pub(crate) struct Phrase {
    /// The code in whose errors it is said; in all if `None`.
    code: Option<Code>,
    english: &'static str,
    translated: &'static str,
}

/// A message, finding, hint or cause of an error with `code`, in `language`; `None` if there it is not known.
pub fn phrase(code: Code, language: Language, text: &str) -> Option<String> {
    match language {
        Language::English => None,
        Language::Chinese => translate(chinese::PHRASES, code, text),
    }
}

/// A sentence that is said of no error, in `language`; `None` if there it is not known.
pub fn sentence(language: Language, text: &str) -> Option<String> {
    match language {
        Language::English => None,
        Language::Chinese => translate_of(chinese::PHRASES, None, text),
    }
}

fn translate(tables: &[&[Phrase]], code: Code, text: &str) -> Option<String> {
    if text == code.title() {
        return Some(title(code, Language::Chinese).to_owned());
    }
    translate_of(tables, Some(code), text)
}

/// The translation of what is said of `code`, or of none.
fn translate_of(tables: &[&[Phrase]], code: Option<Code>, text: &str) -> Option<String> {
    // What is said of this code alone comes first, and of several patterns the one that leaves least open.
    let of = |wanted: Option<Code>| {
        let of_code = tables.iter().copied().flatten().filter(move |phrase| phrase.code == wanted);
        let fitting = of_code.filter_map(|phrase| Some((phrase, pattern::pieces(phrase.english, text)?)));
        fitting.min_by_key(|(_, pieces)| pieces.iter().map(|piece| piece.len()).sum::<usize>())
    };
    let (phrase, pieces) = of(code).or_else(|| of(None))?;
    let again = |piece: &str| {
        let translated = match code {
            Some(code) => translate(tables, code, piece),
            None => translate_of(tables, None, piece),
        };
        Cow::Owned(translated.unwrap_or_else(|| piece.to_owned()))
    };
    Some(pattern::fill(phrase.translated, &pieces, again))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn chinese(code: Code, text: &str) -> Option<String> {
        phrase(code, Language::Chinese, text)
    }

    fn phrases() -> impl Iterator<Item = &'static Phrase> {
        chinese::PHRASES.iter().copied().flatten()
    }

    #[test]
    fn a_text_is_translated_with_what_varies_left_as_it_is() {
        let text = "no task has the id write";
        assert_eq!(chinese(Code::UnknownId, text).unwrap(), "没有 id 为 write 的任务");
        assert_eq!(phrase(Code::UnknownId, Language::English, text), None);
        assert_eq!(chinese(Code::UnknownId, "something new"), None);
    }

    #[test]
    fn of_two_patterns_the_closer_one_is_taken_wherever_it_stands() {
        let phrase = |english, translated| Phrase { code: Some(Code::Unreachable), english, translated };
        let table = [phrase("{}: {}", "{0}：{1}"), phrase("look there: {}", "看看 {0}")];
        let translated = translate(&[&table], Code::Unreachable, "look there: it: is").unwrap();
        assert_eq!(translated, "看看 it: is");
    }

    #[test]
    fn a_piece_that_is_a_text_of_ours_is_translated_too() {
        let text = chinese(Code::CannotOpenFile, "cannot open the database in /a in/b.db").unwrap();
        assert_eq!(text, "无法打开数据库：/a in/b.db");
    }

    #[test]
    fn what_is_said_of_files_is_translated_with_the_kinds_of_their_columns() {
        let text = "a.csv, line 7: column zip was taken for whole number, but `N1` is text; \
                    it must be read as text";
        let translated = "a.csv 第 7 行：zip 列按整数读取，但 `N1` 是文本；应按文本读取";
        assert_eq!(chinese(Code::ValueDisagrees, text).unwrap(), translated);
    }

    #[test]
    fn a_title_within_a_text_is_that_of_its_page() {
        let text = chinese(Code::RedisFull, "redis://db:6379: the Redis server takes no more data").unwrap();
        assert_eq!(text, "redis://db:6379：Redis 服务器拒绝写入新数据");
    }

    /// Others fall back to the title of their page, with the English text behind it.
    #[test]
    fn what_a_beginner_meets_has_phrases() {
        for code in [
            Code::Unreachable,
            Code::UnknownScheme,
            Code::BadUrl,
            Code::NoAnswer,
            Code::Unsupported,
            Code::CannotOpenFile,
            Code::NoDatabase,
            Code::NotOurDatabase,
            Code::DatabaseBusy,
            Code::RedisDenied,
            Code::TooLarge,
            Code::BadName,
            Code::TaskFailed,
            Code::WaitTimedOut,
            Code::UnknownId,
            Code::NoSuchTask,
            Code::NoTasks,
            Code::MessageNotKept,
            Code::UnknownSetting,
            Code::BadSetting,
            Code::BadSettingsFile,
            Code::BadInput,
            Code::NeedsYes,
            Code::NoFiles,
            Code::NoFormat,
            Code::ColumnsDiffer,
            Code::NoSuchColumn,
            Code::BadRow,
            Code::ValueDisagrees,
            Code::NotUtf8,
            Code::EmptyFile,
            Code::FileUnreadable,
            Code::MemoryTooSmall,
            Code::OutputTaken,
            Code::NoCluster,
            Code::OtherCluster,
            Code::NotShared,
            Code::NoExecutors,
            Code::ExecutorsLost,
            Code::ClusterDenied,
            Code::NoPython,
            Code::FunctionRaised,
            Code::ChildDied,
            Code::OtherColumns,
            Code::OtherPython,
            Code::StoreDenied,
            Code::NoSuchBucket,
            Code::StoreAway,
            Code::BadStoreOptions,
            Code::OptionsOnCluster,
        ] {
            let said = |phrase: &Phrase| phrase.code == Some(code);
            assert!(phrases().any(said), "{code}");
        }
    }

    #[test]
    fn translations_use_no_piece_that_is_not_there() {
        for phrase in phrases() {
            let pieces = phrase.english.matches("{}").count();
            for wrong in pieces..10 {
                let named = [format!("{{{wrong}}}"), format!("{{{wrong}~}}")];
                let uses = named.iter().any(|name| phrase.translated.contains(name.as_str()));
                assert!(!uses, "{}", phrase.english);
            }
        }
    }

    /// Else a text that was changed in its crate would fall back to English unseen.
    #[test]
    fn every_phrase_is_still_said_somewhere() {
        let mut sources = String::new();
        for folder in ["..", "../../data"] {
            read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut sources);
        }
        let sources = without_names(&sources);
        for phrase in phrases().filter(|phrase| !chinese::SAID_BY_OTHERS.contains(&phrase.english)) {
            assert!(sources.contains(phrase.english), "nobody says any more: {}", phrase.english);
        }
    }

    /// All Rust sources of the other crates below `folder`, but not what was built of them.
    fn read(folder: &Path, sources: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_passed_over = ["../errors", "tests", "target"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && !is_passed_over {
                read(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    /// `format!("a {name} is \"b\"")` as the phrase that it makes: `a {} is "b"`.
    fn without_names(source: &str) -> String {
        let mut text = String::with_capacity(source.len());
        let lines = source.split("\\\n").map(str::trim_start).collect::<String>();
        let mut rest = lines.replace("\\\"", "\"").replace("{{", "").replace("}}", "");
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            text.push('{');
            let name = after.len()
                - after.trim_start_matches(|c: char| c.is_alphanumeric() || "_:#?.".contains(c)).len();
            rest = after[name..].to_owned();
        }
        text + &rest
    }
}
