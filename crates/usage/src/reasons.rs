//! Why a value is not understood, in Chinese.

use std::error;

use cardoon_errors::{Code, Error, Language, phrase};

/// Reasons in English and Chinese.
pub(crate) type Pairs = &'static [(&'static str, &'static str)];

/// What those who read values say for every program.
const COMMON: Pairs = &[
    ("invalid digit found in string", "这里要写整数"),
    ("invalid float literal", "这里要写数字"),
    ("invalid socket address syntax", "地址的写法：127.0.0.1:8787"),
    ("too many characters in string", "只能写一个字符"),
    (
        "a size is written as \"512B\", \"64KiB\", \"16MiB\", \"1GiB\" (or kB, MB, GB in steps of 1000)",
        "大小的写法：\"512B\"、\"64KiB\"、\"16MiB\"、\"1GiB\"（kB、MB、GB 按 1000 进位）",
    ),
];

/// `reason` in Chinese, if it is among those of every program or `own`, else as it is.
pub(crate) fn in_chinese(reason: &(dyn error::Error + 'static), own: Pairs) -> String {
    let reason = match reason.downcast_ref::<Error>() {
        // That the value is not understood is said already.
        Some(error) => error.next_step().unwrap_or(error.message()).to_owned(),
        None => reason.to_string(),
    };
    if let Some((_, chinese)) = COMMON.iter().chain(own).find(|(english, _)| *english == reason) {
        return (*chinese).to_owned();
    }
    match reason.split_once(" is not in ") {
        Some((value, range)) => format!("{value} 不在 {range} 之内"),
        None => phrase(Code::BadInput, Language::Chinese, &reason).unwrap_or(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_standard_library_says_is_known() {
        let reasons: [Box<dyn error::Error>; 4] = [
            Box::new("x".parse::<u32>().unwrap_err()),
            Box::new("x".parse::<f64>().unwrap_err()),
            Box::new("x".parse::<std::net::SocketAddr>().unwrap_err()),
            Box::new("ab".parse::<char>().unwrap_err()),
        ];
        let said = reasons.map(|reason| in_chinese(&*reason, &[]));
        assert_eq!(said.as_slice(), COMMON[..4].iter().map(|(_, chinese)| *chinese).collect::<Vec<_>>());
    }

    #[test]
    fn of_an_error_of_ours_its_next_step_is_the_reason() {
        let own: Pairs = &[("write it like this", "这样写")];
        let error = Error::new(Code::BadInput, "it cannot be read").hint("write it like this");
        assert_eq!(in_chinese(&error, own), "这样写");
        assert_eq!(in_chinese(&error, &[]), "write it like this");
    }
}
