//! Why a value is not understood, in Chinese.

use std::error;

use cardoon_errors::{Code, Error, Language, phrase};

/// What those who read values say, English and Chinese.
const REASONS: &[(&str, &str)] = &[
    ("invalid digit found in string", "这里要写整数"),
    ("invalid float literal", "这里要写数字"),
    ("invalid socket address syntax", "地址的写法：127.0.0.1:8787"),
    ("too many characters in string", "只能写一个字符"),
    (
        "a size is written as \"512B\", \"64KiB\", \"16MiB\", \"1GiB\" (or kB, MB, GB in steps of 1000)",
        "大小的写法：\"512B\"、\"64KiB\"、\"16MiB\"、\"1GiB\"（kB、MB、GB 按 1000 进位）",
    ),
    (
        "a kind is given as COLUMN=boolean|integer|float|date|timestamp|text",
        "类型的写法：列名=boolean|integer|float|date|timestamp|text",
    ),
    ("it is written HOST:PORT, as in 127.0.0.1:8787", "地址的写法：主机:端口，例如 127.0.0.1:8787"),
];

/// `reason` in Chinese, if it is known, else as it is.
pub(super) fn in_chinese(reason: &(dyn error::Error + 'static)) -> String {
    let reason = match reason.downcast_ref::<Error>() {
        // That the value is not understood is said already.
        Some(error) => error.next_step().unwrap_or(error.message()).to_owned(),
        None => reason.to_string(),
    };
    if let Some((_, chinese)) = REASONS.iter().find(|(english, _)| *english == reason) {
        return (*chinese).to_owned();
    }
    match reason.split_once(" is not in ") {
        Some((value, range)) => format!("{value} 不在 {range} 之内"),
        None => phrase(Code::BadInput, Language::Chinese, &reason).unwrap_or(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use clap::Parser as _;

    use super::*;
    use crate::Arguments;

    fn said(line: &str) -> String {
        let line = format!("cardoon-data {line}");
        let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
        in_chinese(error.source().unwrap())
    }

    #[test]
    fn every_reason_is_said_by_an_argument() {
        let lines = [
            "cluster --workers x",
            "demo logs --gb x",
            "cluster --bind x",
            "sql q --delimiter ab",
            "sql q --memory x",
            "sql q --type x",
            "sql q --cluster a,b",
        ];
        assert_eq!(
            lines.map(said).as_slice(),
            REASONS.iter().map(|(_, chinese)| *chinese).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_number_out_of_range_is_told_in_chinese() {
        assert_eq!(said("cluster --workers 300"), "300 不在 1..=256 之内");
    }
}
