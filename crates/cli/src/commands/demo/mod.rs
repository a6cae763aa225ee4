mod mail;

use cardoon_errors::Result;
use clap::Subcommand;
pub(crate) use mail::run_worker;

use crate::exit::Exit;
use crate::session::Session;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Send 1000 mails over two worker processes, and count them where they arrive
    Mail(mail::Options),
    #[command(hide = true)]
    MailWorker(mail::WorkerOptions),
}

pub(crate) async fn run(session: &Session, command: &Command) -> Result<Exit> {
    match command {
        Command::Mail(options) => mail::run(session, options).await,
        Command::MailWorker(options) => run_worker(options).await,
    }
}
