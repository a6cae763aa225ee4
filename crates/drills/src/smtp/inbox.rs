use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// What was delivered: how often each mail reached each recipient.
#[derive(Debug)]
pub(super) struct Inbox {
    copies: Mutex<HashMap<Identity, u64>>,
    count: watch::Sender<MailCount>,
}

/// A mail is the same mail if it has the same `Message-ID` and the same recipient.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    message_id: Option<String>,
    recipient: String,
}

/// Mails in numbers. A mail to two recipients counts as two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MailCount {
    /// All mails that were accepted.
    pub total: u64,
    /// Mails that differ in `Message-ID` or recipient.
    pub distinct: u64,
}

impl MailCount {
    /// Mails that had been accepted before.
    pub fn duplicates(self) -> u64 {
        self.total - self.distinct
    }
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { copies: Mutex::default(), count: watch::Sender::default() }
    }

    pub(super) fn deliver(&self, message: &[u8], recipients: Vec<String>) {
        let message_id = message_id(message);
        for recipient in recipients {
            self.add(Identity { message_id: message_id.clone(), recipient });
        }
    }

    pub(super) fn watch(&self) -> watch::Receiver<MailCount> {
        self.count.subscribe()
    }

    /// How many mails each recipient got.
    pub(super) fn by_recipient(&self) -> HashMap<String, u64> {
        let mut mails = HashMap::new();
        for (identity, copies) in self.copies().iter() {
            *mails.entry(identity.recipient.clone()).or_default() += copies;
        }
        mails
    }

    fn add(&self, identity: Identity) {
        let mut copies = self.copies();
        *copies.entry(identity).or_default() += 1;
        let distinct = copies.len() as u64;
        self.count.send_modify(|count| *count = MailCount { total: count.total + 1, distinct });
    }

    fn copies(&self) -> MutexGuard<'_, HashMap<Identity, u64>> {
        self.copies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The value of the header `Message-ID`, which ends with the first empty line.
fn message_id(message: &[u8]) -> Option<String> {
    let headers = message.split(|byte| *byte == b'\n').take_while(|line| !line.trim_ascii().is_empty());
    headers.filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':')).find_map(|(name, value)| {
        name.trim().eq_ignore_ascii_case("message-id").then(|| value.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_that_comes_again_is_a_duplicate_and_one_to_somebody_else_is_not() {
        let inbox = Inbox::new();
        let mail = b"From: a\r\nMessage-Id: <1@x>\r\n\r\nhello";
        inbox.deliver(mail, vec!["ann@x".into(), "bob@x".into()]);
        inbox.deliver(mail, vec!["ann@x".into()]);
        let count = *inbox.watch().borrow();
        assert_eq!((count.total, count.distinct, count.duplicates()), (3, 2, 1));
        assert_eq!(inbox.by_recipient()["ann@x"], 2);
    }

    #[test]
    fn the_body_cannot_pretend_to_be_a_header() {
        assert_eq!(message_id(b"Subject: x\r\n\r\nMessage-ID: <body>\r\n"), None);
        assert_eq!(message_id(b"\xff\xfe: x\nMESSAGE-ID:<1>\n\n"), Some("<1>".into()));
    }
}
