//! `cardoon demo mail`: mails over several worker processes, counted where they arrive.

mod folder;
mod mail;
mod options;
mod report;
mod task;

pub use mail::mail;
pub use options::{MailOptions, MailProgress, WorkerCommand};
pub use report::{KillReport, MailReport};
pub use task::{mail_worker, send_mail};
