//! Changes that are decided here and applied by the server, if what they were based on is still so.

use std::collections::HashMap;

use bytes::Bytes;
use cardoon_errors::Result;
use redis::{Cmd, Value};

use crate::failure;
use crate::link::{Lane, items};
use crate::scripts::Scripts;

/// Checks, then effects. What adds comes before what removes: a command that fails in the middle leaves something
/// twice, and loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Change {
    checks: Vec<Check>,
    effects: Vec<Effect>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Check {
    kind: &'static str,
    key: String,
    argument: Bytes,
    other: Bytes,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Effect {
    command: &'static str,
    key: String,
    arguments: Vec<Bytes>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    Yes,
    /// This check failed, counted from 0; nothing was changed.
    Refused(usize),
}

/// How many changes one script call applies at most, and how many bytes they have.
const MOST: usize = 256;
const MOST_BYTES: usize = 4 << 20;

impl Change {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The hash at `key` has `field`.
    pub(crate) fn if_field(self, key: impl Into<String>, field: impl Into<Bytes>) -> Self {
        self.check("field", key, field, "")
    }

    /// The text at `key` is `value`; `None`: there is none.
    pub(crate) fn if_value(self, key: impl Into<String>, value: Option<Bytes>) -> Self {
        match value {
            Some(value) => self.check("value", key, value, ""),
            None => self.check("absent", key, "", ""),
        }
    }

    /// The sorted set at `key` has `member`.
    pub(crate) fn if_member(self, key: impl Into<String>, member: impl Into<Bytes>) -> Self {
        self.check("member", key, member, "")
    }

    pub(crate) fn if_no_member(self, key: impl Into<String>, member: impl Into<Bytes>) -> Self {
        self.check("no-member", key, member, "")
    }

    /// The score of `member` is `most` or less.
    pub(crate) fn if_at_most(self, key: impl Into<String>, member: impl Into<Bytes>, most: i64) -> Self {
        self.check("at-most", key, member, most.to_string())
    }

    pub(crate) fn if_no_subscriber(self, channel: impl Into<String>) -> Self {
        self.check("no-subscriber", channel, "", "")
    }

    fn check(
        mut self,
        kind: &'static str,
        key: impl Into<String>,
        argument: impl Into<Bytes>,
        other: impl Into<Bytes>,
    ) -> Self {
        let (key, argument, other) = (key.into(), argument.into(), other.into());
        self.checks.push(Check { kind, key, argument, other });
        self
    }

    /// Adds a command whose first argument is `key`.
    pub(crate) fn then(
        mut self,
        command: &'static str,
        key: impl Into<String>,
        arguments: impl IntoIterator<Item = Bytes>,
    ) -> Self {
        self.effects.push(Effect { command, key: key.into(), arguments: arguments.into_iter().collect() });
        self
    }

    /// The checks and effects of `self`, then those of `other`.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.checks.extend(other.checks);
        self.effects.extend(other.effects);
        self
    }

    /// How many checks it has.
    pub(crate) fn checks(&self) -> usize {
        self.checks.len()
    }

    fn size(&self) -> usize {
        self.effects.iter().flat_map(|effect| &effect.arguments).map(Bytes::len).sum()
    }
}

/// Applies each change by itself; answers each, in order.
pub(crate) async fn apply(
    lane: &Lane,
    scripts: &Scripts,
    location: &str,
    changes: &[Change],
) -> Vec<Result<Applied>> {
    let mut answers = Vec::with_capacity(changes.len());
    let mut rest = changes;
    while !rest.is_empty() {
        let (slice, after) = rest.split_at(fitting(rest));
        rest = after;
        match apply_slice(lane, scripts, location, slice).await {
            Ok(applied) => answers.extend(applied),
            Err(error) => answers.extend(slice.iter().map(|_| Err(error.clone()))),
        }
    }
    answers
}

/// How many of the first changes fit in one call; at least one.
fn fitting(changes: &[Change]) -> usize {
    let mut bytes = 0;
    let fits = |change: &&Change| {
        bytes += change.size();
        bytes <= MOST_BYTES
    };
    changes.iter().take(MOST).take_while(fits).count().max(1)
}

async fn apply_slice(
    lane: &Lane,
    scripts: &Scripts,
    location: &str,
    changes: &[Change],
) -> Result<Vec<Result<Applied>>> {
    let mut words = Words::default();
    words.put(changes.len());
    for change in changes {
        words.put_change(change);
    }
    let answer = lane.call(&scripts.apply, |command| words.add_to(command)).await?;
    let answers = items(answer, "a change")?;
    if answers.len() != changes.len() {
        return Err(failure::nonsense("a change"));
    }
    Ok(answers.into_iter().map(|answer| read(answer, location)).collect())
}

fn read(answer: Value, location: &str) -> Result<Applied> {
    match answer {
        Value::Int(0) => Ok(Applied::Yes),
        Value::Int(check) => Ok(Applied::Refused(check as usize - 1)),
        Value::BulkString(text) => Err(failure::of_text(&String::from_utf8_lossy(&text), location)),
        _ => Err(failure::nonsense("a change")),
    }
}

/// The keys and arguments of the script. Each key is sent once.
#[derive(Default)]
struct Words<'c> {
    keys: Vec<&'c str>,
    numbers: HashMap<&'c str, usize>,
    arguments: Vec<Bytes>,
}

impl<'c> Words<'c> {
    fn put(&mut self, number: usize) {
        self.arguments.push(number.to_string().into());
    }

    fn put_key(&mut self, key: &'c str) {
        let keys = &mut self.keys;
        let number = *self.numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len()
        });
        self.put(number);
    }

    fn put_change(&mut self, change: &'c Change) {
        self.put(change.checks.len());
        for check in &change.checks {
            self.arguments.push(Bytes::from_static(check.kind.as_bytes()));
            self.put_key(&check.key);
            self.arguments.extend([check.argument.clone(), check.other.clone()]);
        }
        self.put(change.effects.iter().map(|effect| effect.arguments.len() + 3).sum());
        for effect in &change.effects {
            self.put(effect.arguments.len() + 2);
            self.arguments.push(Bytes::from_static(effect.command.as_bytes()));
            self.put_key(&effect.key);
            self.arguments.extend(effect.arguments.iter().cloned());
        }
    }

    fn add_to(&self, command: &mut Cmd) {
        command.arg(self.keys.len());
        for key in &self.keys {
            command.arg(*key);
        }
        for argument in &self.arguments {
            command.arg(&argument[..]);
        }
    }
}
