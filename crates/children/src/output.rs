//! What children print, cut into lines that know their task.

use bytes::{Buf, BytesMut};

use crate::frame::Tag;

/// A longer line is cut, in bytes, so that what never ends a line does not fill the memory.
const LONGEST_LINE: usize = 16 * 1024;

/// A child's own print begins with this once a call, and the call's tag in decimal, on a line of its own.
pub const MARK: &str = "\u{1}cardoon:";

/// Cuts one child's output into lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    received: BytesMut,
    speaker: Option<Tag>,
    /// A line was given out without its end: a newline that comes next is that end.
    is_cut: bool,
}

/// A line, and the call that printed it if that is known.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub tag: Option<Tag>,
    pub text: String,
}

impl Lines {
    /// Where what was read is to be put.
    pub(crate) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.received
    }

    /// The call that printed last, while it runs.
    pub(crate) fn speaker(&self) -> Option<Tag> {
        self.speaker
    }

    /// The call has ended: what comes now is not its own. A line that it has begun is given out as it is.
    pub(crate) fn ended(&mut self, tag: Tag) -> Option<Line> {
        let rest = if self.speaker == Some(tag) { self.next(true) } else { None };
        self.is_cut |= rest.is_some();
        if self.speaker == Some(tag) {
            self.speaker = None;
        }
        rest
    }

    /// The next line. A line without an end is given out only if it is too long, or with `rest`.
    pub(crate) fn next(&mut self, rest: bool) -> Option<Line> {
        loop {
            let text = self.cut(rest)?;
            match text.strip_prefix(MARK).map(str::parse) {
                Some(Ok(tag)) => self.speaker = Some(tag),
                _ => return Some(Line { tag: self.speaker, text }),
            }
        }
    }

    fn cut(&mut self, rest: bool) -> Option<String> {
        if self.is_cut && !self.received.is_empty() {
            self.is_cut = false;
            if self.received.starts_with(b"\n") {
                self.received.advance(1);
            }
        }
        let end = self.received.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n');
        let (length, newline) = match end {
            Some(end) => (end, 1),
            None if self.received.len() >= LONGEST_LINE => (LONGEST_LINE, 0),
            None if rest && !self.received.is_empty() => (self.received.len(), 0),
            None => return None,
        };
        let line = self.received.split_to(length);
        self.received.advance(newline);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &mut Lines, text: &str) -> Vec<(Option<Tag>, String)> {
        lines.buffer().extend_from_slice(text.as_bytes());
        std::iter::from_fn(|| lines.next(false)).map(|line| (line.tag, line.text)).collect()
    }

    #[test]
    fn a_line_belongs_to_the_call_that_marked_itself_last_until_that_ends() {
        let mut output = Lines::default();
        let said = lines(&mut output, "import\n\u{1}cardoon:7\n你好\nhal");
        assert_eq!(said, [(None, "import".into()), (Some(7), "你好".into())]);
        assert_eq!(lines(&mut output, "f\n"), [(Some(7), "half".into())]);
        assert_eq!(output.ended(7), None);
        assert_eq!(lines(&mut output, "later\n"), [(None, "later".into())]);
        assert!(lines(&mut output, "\u{1}cardoon:8\nno end").is_empty());
        assert_eq!(output.ended(8), Some(Line { tag: Some(8), text: "no end".into() }));
        assert_eq!(lines(&mut output, "\nnext\n"), [(None, "next".into())]);
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let mut output = Lines::default();
        let said = lines(&mut output, &"x".repeat(LONGEST_LINE + 5));
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].1.len(), LONGEST_LINE);
        assert_eq!(output.next(true).unwrap().text, "xxxxx");
    }
}
