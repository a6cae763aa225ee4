//! The protocol of one connection, without I/O: lines in, replies and mails out.

/// The largest accepted message in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 10 * 1024 * 1024;
const MAX_RECIPIENTS: usize = 1000;

/// Where one client is in its conversation.
#[derive(Debug, Default)]
pub(super) struct Session {
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    /// The message so far, while its lines are coming.
    data: Option<Data>,
}

#[derive(Debug, Default)]
struct Data {
    message: Vec<u8>,
    too_large: bool,
}

/// One line of the client, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Complete(Vec<u8>),
    /// It was longer than a line may be; its bytes were dropped.
    TooLong,
}

/// What to do with the client next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Say nothing and read on.
    Continue,
    Reply(&'static str),
    /// Keep this mail, then confirm it.
    Accept {
        message: Vec<u8>,
        recipients: Vec<String>,
    },
    /// Say this and hang up.
    Close(&'static str),
}

pub(super) const GREETING: &str = "220 sink ESMTP\r\n";
pub(super) const ACCEPTED: &str = "250 2.0.0 accepted\r\n";
const EHLO: &str = "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760\r\n";
const OK: &str = "250 2.0.0 ok\r\n";
const BAD_SEQUENCE: &str = "503 5.5.1 not now\r\n";
const BAD_ADDRESS: &str = "501 5.1.3 expected an address in angle brackets\r\n";

impl Session {
    pub(super) fn line(&mut self, line: Line) -> Step {
        match (&mut self.data, line) {
            (Some(_), line) => self.data_line(line),
            (None, Line::TooLong) => Step::Reply("500 5.5.6 line too long\r\n"),
            (None, Line::Complete(line)) => self.command(&line),
        }
    }

    fn command(&mut self, line: &[u8]) -> Step {
        let Ok(line) = std::str::from_utf8(line) else {
            return Step::Reply("500 5.5.2 the command is no text\r\n");
        };
        let (verb, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        match verb.to_ascii_uppercase().as_str() {
            "HELO" => self.greet(OK),
            "EHLO" => self.greet(EHLO),
            "MAIL" => self.mail(rest),
            "RCPT" => self.recipient(rest),
            "DATA" => self.begin_data(),
            "RSET" => self.reset(),
            "NOOP" => Step::Reply(OK),
            "QUIT" => Step::Close("221 2.0.0 bye\r\n"),
            _ => Step::Reply("502 5.5.1 unknown command\r\n"),
        }
    }

    fn greet(&mut self, reply: &'static str) -> Step {
        self.reset();
        self.greeted = true;
        Step::Reply(reply)
    }

    fn mail(&mut self, rest: &str) -> Step {
        if !self.greeted || self.sender.is_some() {
            return Step::Reply(BAD_SEQUENCE);
        }
        let Some((sender, parameters)) = address(rest, "FROM:") else { return Step::Reply(BAD_ADDRESS) };
        if announced_size(parameters).is_some_and(|bytes| bytes > MAX_MESSAGE_BYTES) {
            return Step::Reply("552 5.3.4 message too large\r\n");
        }
        self.sender = Some(sender.to_owned());
        Step::Reply(OK)
    }

    fn recipient(&mut self, rest: &str) -> Step {
        if self.sender.is_none() {
            return Step::Reply(BAD_SEQUENCE);
        }
        if self.recipients.len() >= MAX_RECIPIENTS {
            return Step::Reply("452 4.5.3 too many recipients\r\n");
        }
        match address(rest, "TO:") {
            Some((recipient, _)) if !recipient.is_empty() => {
                self.recipients.push(recipient.to_owned());
                Step::Reply(OK)
            }
            _ => Step::Reply(BAD_ADDRESS),
        }
    }

    fn begin_data(&mut self) -> Step {
        if self.recipients.is_empty() {
            return Step::Reply(BAD_SEQUENCE);
        }
        self.data = Some(Data::default());
        Step::Reply("354 end with a line that holds a single dot\r\n")
    }

    fn data_line(&mut self, line: Line) -> Step {
        match line {
            Line::Complete(line) if line == b"." => self.end_data(),
            Line::Complete(line) => {
                // A client doubles a leading dot so that it cannot be mistaken for the end.
                self.data.get_or_insert_default().push(line.strip_prefix(b".").unwrap_or(&line));
                Step::Continue
            }
            Line::TooLong => {
                self.data.get_or_insert_default().too_large = true;
                Step::Continue
            }
        }
    }

    fn end_data(&mut self) -> Step {
        let data = self.data.take().unwrap_or_default();
        let recipients = std::mem::take(&mut self.recipients);
        self.sender = None;
        if data.too_large {
            return Step::Reply("552 5.3.4 message too large\r\n");
        }
        Step::Accept { message: data.message, recipients }
    }

    fn reset(&mut self) -> Step {
        self.sender = None;
        self.recipients.clear();
        Step::Reply(OK)
    }
}

impl Data {
    fn push(&mut self, line: &[u8]) {
        if self.message.len() + line.len() + 2 > MAX_MESSAGE_BYTES {
            self.too_large = true;
            self.message = Vec::new();
        }
        if !self.too_large {
            self.message.extend_from_slice(line);
            self.message.extend_from_slice(b"\r\n");
        }
    }
}

/// Splits `FROM:<ann@example.com> SIZE=10` into the address and the parameters.
fn address<'a>(text: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let head = text.get(..keyword.len())?;
    let rest = text.get(keyword.len()..)?.trim_start();
    let (address, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    let clean = !address.chars().any(|c| c.is_control() || c == '<');
    (head.eq_ignore_ascii_case(keyword) && clean).then_some((address, parameters))
}

fn announced_size(parameters: &str) -> Option<usize> {
    let mut words = parameters.split_ascii_whitespace();
    words.find_map(|word| word.to_ascii_uppercase().strip_prefix("SIZE=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(session: &mut Session, line: &[u8]) -> Step {
        session.line(Line::Complete(line.to_vec()))
    }

    fn code(step: &Step) -> &str {
        match step {
            Step::Reply(text) | Step::Close(text) => &text[..3],
            Step::Continue | Step::Accept { .. } => "",
        }
    }

    fn ready_for_data() -> Session {
        let mut session = Session::default();
        for line in [&b"EHLO x"[..], b"MAIL FROM:<a@x> SIZE=5", b"RCPT TO:<b@x>"] {
            assert_eq!(code(&say(&mut session, line)), "250");
        }
        assert_eq!(code(&say(&mut session, b"data")), "354");
        session
    }

    #[test]
    fn doubled_dots_are_undone_and_a_single_dot_ends_the_mail() {
        let mut session = ready_for_data();
        for line in [&b"..hidden"[..], b"...", b"plain"] {
            assert_eq!(say(&mut session, line), Step::Continue);
        }
        let message = b".hidden\r\n..\r\nplain\r\n".to_vec();
        assert_eq!(say(&mut session, b"."), Step::Accept { message, recipients: vec!["b@x".into()] });
        assert_eq!(code(&say(&mut session, b"DATA")), "503", "the next mail needs its own sender");
    }

    #[test]
    fn commands_out_of_order_are_refused() {
        let mut session = Session::default();
        assert_eq!(code(&say(&mut session, b"MAIL FROM:<a@x>")), "503");
        say(&mut session, b"HELO x");
        assert_eq!(code(&say(&mut session, b"RCPT TO:<b@x>")), "503");
        assert_eq!(code(&say(&mut session, b"DATA")), "503");
        say(&mut session, b"MAIL FROM:<a@x>");
        say(&mut session, b"RCPT TO:<b@x>");
        say(&mut session, b"RSET");
        assert_eq!(code(&say(&mut session, b"DATA")), "503");
    }

    #[test]
    fn addresses_need_brackets_and_keywords() {
        for bad in ["", "FROM", "FROM:a@x", "FROM:<a@x", "TO:<a@x>", "\u{e9}\u{e9}\u{e9}:<a>", "FROM:<a<b>"] {
            assert_eq!(address(bad, "FROM:"), None, "{bad}");
        }
        assert_eq!(address("from: <>", "FROM:"), Some(("", "")), "a bounce has no sender");
    }

    #[test]
    fn a_mail_over_the_limit_is_refused_as_announced_and_as_sent() {
        let mut session = Session::default();
        say(&mut session, b"EHLO x");
        assert_eq!(code(&say(&mut session, b"MAIL FROM:<a@x> SIZE=10485761")), "552");
        let mut session = ready_for_data();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..11 {
            say(&mut session, &line);
        }
        assert_eq!(code(&say(&mut session, b".")), "552");
        let mut session = ready_for_data();
        session.line(Line::TooLong);
        assert_eq!(code(&say(&mut session, b".")), "552");
    }
}
