//! What was sent, as assertions.
#![expect(clippy::needless_pass_by_value, reason = "a signature is written where it is asserted")]

use std::fmt::{self, Write};
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::{Signature, SignatureOptions};
use serde_json::Value;

use super::Sent;
use crate::{App, TypedSignature};

/// Panics unless a task was sent with these arguments through the inline `app`, and with those options that `expected`
/// sets: a queue, a countdown, a priority. Options that it leaves open may be anything.
#[track_caller]
pub fn assert_sent<T>(app: &App, expected: TypedSignature<T>) {
    let (sent, expected) = (sent(app), expected.as_signature());
    let found = sent.iter().any(|sent| matches(expected, &sent.signature));
    assert!(found, "{}", report("this call was not sent", expected, &sent));
}

/// Panics unless exactly `times` matching calls were sent; what matches is said at [`assert_sent`].
#[track_caller]
pub fn assert_sent_times<T>(app: &App, expected: TypedSignature<T>, times: usize) {
    let (sent, expected) = (sent(app), expected.as_signature());
    let found = sent.iter().filter(|sent| matches(expected, &sent.signature)).count();
    let what = format!("this call was sent {found} times, not {times} times");
    assert!(found == times, "{}", report(&what, expected, &sent));
}

/// Panics if a matching call was sent; what matches is said at [`assert_sent`].
#[track_caller]
pub fn assert_not_sent<T>(app: &App, unexpected: TypedSignature<T>) {
    let (sent, unexpected) = (sent(app), unexpected.as_signature());
    let found = sent.iter().any(|sent| matches(unexpected, &sent.signature));
    assert!(!found, "{}", report("this call was sent", unexpected, &sent));
}

/// Panics if anything was sent.
#[track_caller]
pub fn assert_nothing_sent(app: &App) {
    let sent = sent(app);
    assert!(sent.is_empty(), "something was sent\n{}", listing(&sent));
}

#[track_caller]
fn sent(app: &App) -> Vec<Sent> {
    assert!(app.inline_mode().is_some(), "only an app of `App::inline` records what is sent");
    super::sent(app)
}

fn matches(expected: &Signature, actual: &Signature) -> bool {
    expected.task == actual.task
        && json(&expected.args) == json(&actual.args)
        && json(&expected.kwargs) == json(&actual.kwargs)
        && options_match(&expected.options, &actual.options)
}

fn options_match(expected: &SignatureOptions, actual: &SignatureOptions) -> bool {
    fn fits<T: PartialEq>(expected: Option<&T>, actual: Option<&T>) -> bool {
        expected.is_none() || expected == actual
    }
    fits(expected.id.as_ref(), actual.id.as_ref())
        && fits(expected.queue.as_ref(), actual.queue.as_ref())
        && fits(expected.priority.as_ref(), actual.priority.as_ref())
        && fits(expected.eta.as_ref(), actual.eta.as_ref())
        && fits(expected.countdown.as_ref(), actual.countdown.as_ref())
        && fits(expected.expires.as_ref(), actual.expires.as_ref())
        && fits(expected.soft_time_limit.as_ref(), actual.soft_time_limit.as_ref())
        && fits(expected.time_limit.as_ref(), actual.time_limit.as_ref())
        && fits(expected.ignore_result.as_ref(), actual.ignore_result.as_ref())
        && fits(expected.root_id.as_ref(), actual.root_id.as_ref())
        && fits(expected.parent_id.as_ref(), actual.parent_id.as_ref())
}

fn report(what: &str, expected: &Signature, sent: &[Sent]) -> String {
    format!("{what}: {}\n{}", Call(expected), listing(sent))
}

fn listing(sent: &[Sent]) -> String {
    let mut text = String::from("sent:");
    if sent.is_empty() {
        text.push_str(" nothing");
    }
    for (index, sent) in sent.iter().enumerate() {
        let _ = write!(text, "\n  {}. {sent}", index + 1);
    }
    text
}

fn json(text: &Bytes) -> Option<Value> {
    serde_json::from_slice(text).ok()
}

/// A call as people write it: `mail.send("ann", copies=2) queue=mail`.
pub(super) struct Call<'a>(pub(super) &'a Signature);

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Signature { task, args, kwargs, options } = self.0;
        let positional = match json(args) {
            Some(Value::Array(values)) => values.iter().map(ToString::to_string).collect(),
            _ => vec![String::from_utf8_lossy(args).into_owned()],
        };
        let named = match json(kwargs) {
            Some(Value::Object(values)) => {
                values.iter().map(|(name, value)| format!("{name}={value}")).collect()
            }
            _ => vec![String::from_utf8_lossy(kwargs).into_owned()],
        };
        write!(f, "{task}({})", [positional, named].concat().join(", "))?;
        write_options(f, options)
    }
}

fn write_options(f: &mut fmt::Formatter<'_>, options: &SignatureOptions) -> fmt::Result {
    if let Some(queue) = &options.queue {
        write!(f, " queue={queue}")?;
    }
    if let Some(priority) = &options.priority {
        write!(f, " priority={priority:?}")?;
    }
    let durations: [(&str, Option<Duration>); 3] = [
        ("countdown", options.countdown),
        ("soft_time_limit", options.soft_time_limit),
        ("time_limit", options.time_limit),
    ];
    for (name, duration) in durations {
        if let Some(duration) = duration {
            write!(f, " {name}={duration:?}")?;
        }
    }
    Ok(())
}
