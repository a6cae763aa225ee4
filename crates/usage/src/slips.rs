//! What is wrong with a command line.

use std::error::Error as _;

use cardoon_errors::{Code, Error};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::{Chinese, reasons};

/// The error that says it, in Chinese.
pub(crate) fn in_chinese(error: &clap::Error, texts: &Chinese) -> Error {
    let coded = Error::new(Code::BadInput, message(error));
    let coded = findings(error, texts.reasons).into_iter().fold(coded, Error::checked);
    match context(error, ContextKind::Usage) {
        Some(usage) => {
            let first = usage.trim().lines().next().unwrap_or_default();
            coded.hint(format!("写成 {}", first.trim_start_matches("Usage:").trim()))
        }
        None => coded.hint(texts.asks_for_help),
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

fn findings(error: &clap::Error, reasons: reasons::Pairs) -> Vec<String> {
    let allowed = [ContextKind::ValidValue, ContextKind::ValidSubcommand];
    let similar = [ContextKind::SuggestedValue, ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg];
    let allowed =
        allowed.iter().filter_map(|kind| context(error, *kind)).map(|names| format!("可用的有：{names}"));
    let similar =
        similar.iter().filter_map(|kind| context(error, *kind)).map(|name| format!("是不是想写 {name}"));
    let reason = error.source().map(|reason| reasons::in_chinese(reason, reasons));
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
    use clap::{Arg, Command};

    use super::*;

    const TEXTS: Chinese = Chinese { asks_for_help: "letters --help", help: &[], reasons: &[] };

    /// Message, findings and hint.
    fn said(line: &str) -> [String; 3] {
        let number = Arg::new("number").long("number").value_parser(clap::value_parser!(u16).range(1..=9));
        let how = Arg::new("how").long("how").value_parser(["rail", "air"]).conflicts_with("number");
        let send =
            Command::new("send").args([number, how]).arg(Arg::new("to").value_name("TO").required(true));
        let letters = Command::new("letters").subcommand_required(true).subcommand(send);
        let error = in_chinese(&letters.try_get_matches_from(line.split(' ')).unwrap_err(), &TEXTS);
        let hint = error.next_step().unwrap_or_default().to_owned();
        [error.message().to_owned(), error.findings().join(" · "), hint]
    }

    #[test]
    fn usual_slips_are_told_in_chinese() {
        assert_eq!(said("letters sen")[..2], ["没有 `sen` 这个命令", "是不是想写 send"]);
        assert_eq!(said("letters send x --sea")[0], "不认识参数 `--sea`");
        assert_eq!(said("letters send"), ["缺少参数 <TO>", "", "写成 letters send <TO>"]);
        assert_eq!(
            said("letters send x --how sea"),
            ["--how <how> 的值 `sea` 无法识别", "可用的有：rail、air", "letters --help"]
        );
        assert_eq!(
            said("letters send x --number 12"),
            ["--number <number> 的值 `12` 无法识别", "12 不在 1..=9 之内", "letters --help"]
        );
        assert_eq!(said("letters send x --number")[0], "--number <number> 缺少值");
        assert_eq!(
            said("letters send x --how air --number 1")[0],
            "--how <how> 不能和 --number <number> 一起用"
        );
    }
}
