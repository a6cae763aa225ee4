//! What is wrong with a command line, in Chinese.

use std::error::Error as _;

use cardoon_errors::{Code, Error};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::reasons;

/// The error that says it.
pub(super) fn as_error(error: &clap::Error) -> Error {
    let coded = Error::new(Code::BadInput, message(error));
    let coded = findings(error).into_iter().fold(coded, Error::checked);
    match context(error, ContextKind::Usage) {
        Some(usage) => {
            let first = usage.trim().lines().next().unwrap_or_default();
            coded.hint(format!("写成 {}", first.trim_start_matches("Usage:").trim()))
        }
        None => coded.hint("cardoon data --help"),
    }
}

fn message(error: &clap::Error) -> String {
    let of = |kind| context(error, kind).unwrap_or_default();
    let argument = of(ContextKind::InvalidArg);
    match error.kind() {
        ErrorKind::InvalidValue if of(ContextKind::InvalidValue).is_empty() => format!("{argument} 缺少值"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("{argument} 的值 `{}` 无法识别", of(ContextKind::InvalidValue))
        }
        ErrorKind::UnknownArgument => format!("不认识参数 `{argument}`"),
        ErrorKind::InvalidSubcommand => format!("没有 `{}` 这个命令", of(ContextKind::InvalidSubcommand)),
        ErrorKind::ArgumentConflict => {
            format!("{argument} 不能和 {} 一起用", of(ContextKind::PriorArg))
        }
        ErrorKind::MissingRequiredArgument => format!("缺少参数 {argument}"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "没有写命令".to_owned()
        }
        ErrorKind::InvalidUtf8 => "参数里有不是 UTF-8 的内容".to_owned(),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} 的值的个数不对")
        }
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

fn findings(error: &clap::Error) -> Vec<String> {
    let allowed = [ContextKind::ValidValue, ContextKind::ValidSubcommand];
    let similar = [ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    let allowed =
        allowed.iter().filter_map(|kind| context(error, *kind)).map(|names| format!("可用的有：{names}"));
    let similar =
        similar.iter().filter_map(|kind| context(error, *kind)).map(|name| format!("是不是想写 {name}"));
    let reason = error.source().map(reasons::in_chinese);
    reason.into_iter().chain(allowed).chain(similar).collect()
}

/// What clap knows about this side of the error, if anything.
fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    let text = match error.get(kind)? {
        ContextValue::String(text) => text.clone(),
        ContextValue::Strings(texts) => texts.join("、"),
        ContextValue::StyledStr(text) => text.to_string(),
        ContextValue::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    fn said(words: &[&str]) -> String {
        let words = std::iter::once("cardoon data").chain(words.iter().copied());
        let error = as_error(&crate::Arguments::try_parse_from(words).unwrap_err());
        let findings = error.findings().join(" · ");
        [error.message(), &findings].join(" | ").trim_end_matches([' ', '|']).to_owned()
    }

    #[test]
    fn usual_slips_are_told_in_chinese() {
        assert_eq!(said(&["sq"]), "没有 `sq` 这个命令 | 是不是想写 sql");
        assert_eq!(said(&["sql", "q", "--memry", "x"]), "不认识参数 `--memry` | 是不是想写 --memory");
        assert_eq!(said(&["sql"]), "缺少参数 <QUERY>");
        assert_eq!(
            said(&["sql", "q", "--bad-rows", "x"]),
            "--bad-rows <BAD_ROWS> 的值 `x` 无法识别 | 可用的有：fail、skip"
        );
        assert_eq!(
            said(&["sql", "q", "-o", "csv", "--out", "rows.csv"]),
            "--output <OUTPUT> 不能和 --out <FILE> 一起用"
        );
        assert_eq!(
            said(&["cluster", "--workers", "300"]),
            "--workers <NUMBER> 的值 `300` 无法识别 | 300 不在 1..=256 之内"
        );
    }
}
