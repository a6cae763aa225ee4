//! An SMTP server that counts.

mod connection;
mod inbox;
mod session;
mod sink;

pub use inbox::MailCount;
pub use sink::SmtpSink;
