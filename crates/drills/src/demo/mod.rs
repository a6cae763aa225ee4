//! `cardoon demo mail`: mails over several worker processes, counted where they arrive.

mod options;
mod report;

pub use options::{MailOptions, MailProgress, WorkerCommand};
pub use report::{KillReport, MailReport};
