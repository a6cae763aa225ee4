//! JSON text that is written value by value and never grows beyond the limits.

use std::ops::Range;

use cardoon_core::DeadReason;

use super::{malformed, too_deep};
use crate::json_text::put_string;
use crate::{Limits, Undecodable, nesting};

pub(super) struct Writer {
    json: Vec<u8>,
    open: Vec<Container>,
    limits: Limits,
}

struct Container {
    close: u8,
    /// Whether a name was written that waits for its value.
    named: bool,
    is_empty: bool,
}

type Step = Result<(), Undecodable>;

impl Writer {
    pub(super) fn new(limits: &Limits, capacity: usize) -> Self {
        Self { json: Vec::with_capacity(capacity), open: Vec::new(), limits: *limits }
    }

    pub(super) fn begin_array(&mut self) -> Step {
        self.begin(b'[', b']')
    }

    pub(super) fn begin_object(&mut self) -> Step {
        self.begin(b'{', b'}')
    }

    fn begin(&mut self, open: u8, close: u8) -> Step {
        if self.open.len() == self.limits.max_depth {
            return Err(too_deep(&self.limits));
        }
        self.separate()?;
        self.json.push(open);
        self.open.push(Container { close, named: false, is_empty: true });
        Ok(())
    }

    /// Ends the innermost array or object.
    pub(super) fn end(&mut self) {
        if let Some(container) = self.open.pop() {
            self.json.push(container.close);
        }
    }

    /// Whether the next thing to be written is the name of an object's member.
    pub(super) fn wants_name(&self) -> bool {
        self.open.last().is_some_and(|container| container.close == b'}' && !container.named)
    }

    pub(super) fn name(&mut self, name: &str) -> Step {
        self.string(name)?;
        self.json.push(b':');
        if let Some(container) = self.open.last_mut() {
            container.named = true;
        }
        Ok(())
    }

    pub(super) fn string(&mut self, text: &str) -> Step {
        self.reserve(text.len())?;
        self.separate()?;
        put_string(&mut self.json, text);
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    pub(super) fn literal(&mut self, literal: &str) -> Step {
        self.separate()?;
        self.json.extend_from_slice(literal.as_bytes());
        Ok(())
    }

    /// A number with a fraction; JSON has none for infinity and for what is no number.
    pub(super) fn float(&mut self, value: f64) -> Step {
        let number = serde_json::Number::from_f64(value);
        let number = number.ok_or_else(|| malformed(format!("{value} cannot be written as JSON")))?;
        self.literal(&number.to_string())
    }

    /// Where the next value will begin, for [`copy`](Self::copy).
    pub(super) fn next_value(&self) -> usize {
        let comma = self.open.last().is_some_and(|container| !container.named && !container.is_empty);
        self.json.len() + usize::from(comma)
    }

    /// Where the last value has ended.
    pub(super) fn position(&self) -> usize {
        self.json.len()
    }

    /// Writes again a value that has been written.
    pub(super) fn copy(&mut self, value: Range<usize>) -> Step {
        self.reserve(value.len())?;
        if self.open.len() + nesting::depth(&self.json[value.clone()]) > self.limits.max_depth {
            return Err(too_deep(&self.limits));
        }
        self.separate()?;
        self.json.extend_from_within(value);
        Ok(())
    }

    /// The text, when every array and object has been ended.
    pub(super) fn finish(self) -> Result<Vec<u8>, Undecodable> {
        self.reserve(0)?;
        Ok(self.json)
    }

    fn separate(&mut self) -> Step {
        self.reserve(1)?;
        if let Some(container) = self.open.last_mut() {
            if !container.named && !container.is_empty {
                self.json.push(b',');
            }
            container.is_empty = false;
            container.named = false;
        }
        Ok(())
    }

    /// Whether there is room for `more` bytes.
    fn reserve(&self, more: usize) -> Step {
        let most = self.limits.max_bytes;
        if self.json.len().saturating_add(more) <= most {
            return Ok(());
        }
        let detail = format!("the body has more than {most} bytes as JSON");
        Err(Undecodable::new(DeadReason::TooLarge, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(max_bytes: usize, max_depth: usize) -> Writer {
        Writer::new(&Limits { max_bytes, max_depth }, 0)
    }

    #[test]
    fn separators_are_put_where_json_has_them() {
        let mut json = writer(100, 3);
        json.begin_array().unwrap();
        json.literal("1").unwrap();
        let start = json.next_value();
        json.begin_object().unwrap();
        json.name("a").unwrap();
        json.string("b").unwrap();
        json.name("c").unwrap();
        json.begin_array().unwrap();
        json.end();
        json.end();
        json.copy(start..json.position()).unwrap();
        json.end();
        assert_eq!(json.finish().unwrap(), br#"[1,{"a":"b","c":[]},{"a":"b","c":[]}]"#);
    }

    #[test]
    fn the_limits_stop_it_where_they_are_reached() {
        let mut json = writer(20, 2);
        json.begin_array().unwrap();
        json.begin_array().unwrap();
        assert_eq!(json.begin_array().unwrap_err().reason, DeadReason::Malformed);
        assert_eq!(json.string(&"x".repeat(20)).unwrap_err().reason, DeadReason::TooLarge);
        json.end();
        assert_eq!(json.copy(0..2).unwrap_err().reason, DeadReason::Malformed);
    }
}
