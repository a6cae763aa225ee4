//! What stands in the parentheses of the attribute.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitBool, LitInt, LitStr, Result, Token, bracketed, token};

use crate::duration;

const KNOWN: &str = "name, queue, priority, retries, retry_on, retry_except, retry_delay, retry_cap, \
                     retry_jitter, soft_time_limit, time_limit, expires, ack, isolate, ignore_result";

/// The options that were given. Durations are in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    pub(crate) queue: Option<LitStr>,
    pub(crate) priority: Option<u8>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry_on: Option<Vec<LitStr>>,
    pub(crate) retry_except: Option<Vec<LitStr>>,
    pub(crate) retry_delay: Option<u64>,
    pub(crate) retry_cap: Option<u64>,
    pub(crate) retry_jitter: Option<bool>,
    pub(crate) soft_time_limit: Option<u64>,
    pub(crate) time_limit: Option<u64>,
    pub(crate) expires: Option<u64>,
    pub(crate) ack_early: Option<bool>,
    pub(crate) isolate_process: bool,
    pub(crate) ignore_result: bool,
}

impl Parse for Options {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut options = Self::default();
        let mut seen = Vec::<Ident>::new();
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            if seen.contains(&key) {
                return Err(Error::new(key.span(), format!("the option `{key}` is given twice")));
            }
            options.set(&key, input)?;
            seen.push(key);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        options.check(&seen)?;
        Ok(options)
    }
}

impl Options {
    fn set(&mut self, key: &Ident, input: ParseStream) -> Result<()> {
        match key.to_string().as_str() {
            "name" => self.name = Some(label(input)?),
            "queue" => self.queue = Some(label(input)?),
            "priority" => self.priority = Some(priority(input)?),
            "retries" => self.retries = Some(value::<LitInt>(input)?.base10_parse()?),
            "retry_on" => self.retry_on = Some(kinds(input)?),
            "retry_except" => self.retry_except = Some(kinds(input)?),
            "retry_delay" => self.retry_delay = Some(time(input)?),
            "retry_cap" => self.retry_cap = Some(time(input)?),
            "retry_jitter" => self.retry_jitter = Some(value::<LitBool>(input)?.value),
            "soft_time_limit" => self.soft_time_limit = Some(time(input)?),
            "time_limit" => self.time_limit = Some(time(input)?),
            "expires" => self.expires = Some(time(input)?),
            "ack" => self.ack_early = Some(one_of(input, ["late", "early"])? == "early"),
            "isolate" => self.isolate_process = one_of(input, ["none", "process"])? == "process",
            "ignore_result" => self.ignore_result = flag(input)?,
            _ => {
                let message = format!("unknown option `{key}`; the options are {KNOWN}");
                return Err(Error::new(key.span(), message));
            }
        }
        Ok(())
    }

    /// Refuses options that contradict each other.
    fn check(&self, keys: &[Ident]) -> Result<()> {
        let error = |key: &str, message| {
            let key = keys.iter().find(|seen| *seen == key);
            Err(Error::new(key.map_or_else(proc_macro2::Span::call_site, Ident::span), message))
        };
        if self.retry_on.is_some() && self.retry_except.is_some() {
            return error("retry_except", "`retry_on` and `retry_except` exclude each other");
        }
        if self.soft_time_limit.zip(self.time_limit).is_some_and(|(soft, hard)| soft >= hard) {
            return error("soft_time_limit", "the soft limit must be shorter than `time_limit`");
        }
        Ok(())
    }
}

fn value<T: Parse>(input: ParseStream) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}

/// A length of time in milliseconds.
fn time(input: ParseStream) -> Result<u64> {
    input.parse::<Token![=]>()?;
    if !input.peek(LitStr) {
        return Err(input.error("expected a duration in quotes and with its unit, such as \"30s\""));
    }
    duration::millis(&input.parse()?)
}

/// `key` alone, or `key = true`.
fn flag(input: ParseStream) -> Result<bool> {
    if input.peek(Token![=]) { Ok(value::<LitBool>(input)?.value) } else { Ok(true) }
}

/// A text that can name a task or a queue.
fn label(input: ParseStream) -> Result<LitStr> {
    let text: LitStr = value(input)?;
    let content = text.value();
    if content.is_empty() || content.len() > 255 || content.chars().any(char::is_control) {
        return Err(Error::new(text.span(), "a name has 1 to 255 bytes and no control characters"));
    }
    Ok(text)
}

fn priority(input: ParseStream) -> Result<u8> {
    let number: LitInt = value(input)?;
    match number.base10_parse() {
        Ok(level @ 0..=9) => Ok(level),
        _ => Err(Error::new(number.span(), "a priority is 0 to 9, and 9 is the most urgent")),
    }
}

fn kinds(input: ParseStream) -> Result<Vec<LitStr>> {
    input.parse::<Token![=]>()?;
    if !input.peek(token::Bracket) {
        return Err(input.error("expected a list of kinds of errors, such as [\"io::Error\"]"));
    }
    let list;
    let bracket = bracketed!(list in input);
    let kinds: Vec<LitStr> = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?.into_iter().collect();
    if kinds.is_empty() {
        let message =
            "expected the kinds of errors, such as [\"io::Error\"]; for no retries write `retries = 0`";
        return Err(Error::new(bracket.span.join(), message));
    }
    Ok(kinds)
}

fn one_of(input: ParseStream, choices: [&'static str; 2]) -> Result<&'static str> {
    let text: LitStr = value(input)?;
    choices
        .into_iter()
        .find(|choice| *choice == text.value())
        .ok_or_else(|| Error::new(text.span(), format!("expected \"{}\" or \"{}\"", choices[0], choices[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: &str) -> String {
        syn::parse_str::<Options>(options).unwrap_err().to_string()
    }

    #[test]
    fn options_are_read_with_their_units() {
        let options: Options = syn::parse_str(
            r#"name = "mail.send", queue = "mail", retries = 5, time_limit = "2m", ack = "early", ignore_result"#,
        )
        .unwrap();
        assert_eq!(options.name.unwrap().value(), "mail.send");
        assert_eq!((options.retries, options.time_limit), (Some(5), Some(120_000)));
        assert!(options.ack_early == Some(true) && options.ignore_result && !options.isolate_process);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert!(refusal("quue = \"mail\"").starts_with("unknown option `quue`; the options are name, queue"));
        assert_eq!(refusal("retries = 1, retries = 2"), "the option `retries` is given twice");
        assert!(refusal("time_limit = \"60\"").starts_with("expected a duration"));
        assert!(refusal("time_limit = 60").starts_with("expected a duration in quotes"));
        assert!(refusal("retry_on = \"E\"").starts_with("expected a list of kinds of errors"));
        assert_eq!(refusal("ack = \"never\""), "expected \"late\" or \"early\"");
        assert!(refusal("priority = 10").starts_with("a priority is 0 to 9"));
        assert!(refusal("name = \"\"").starts_with("a name has 1 to 255 bytes"));
        assert!(refusal("retry_on = []").contains("retries = 0"));
        assert!(refusal("retry_on = [\"A\"], retry_except = [\"B\"]").contains("exclude each other"));
        assert!(refusal("soft_time_limit = \"2m\", time_limit = \"60s\"").contains("shorter"));
    }
}
