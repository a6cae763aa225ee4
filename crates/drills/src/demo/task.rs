//! The demo's task and the worker process that executes it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use cardoon::{App, Settings, State, TaskContext, TaskError, Worker};
use cardoon_core::TaskId;
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::Clock;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::folder::Folder;
use super::options::BROKER;
use crate::Witness;

/// Sends a mail to `user_email` through the SMTP server at `smtp`, and takes `seconds` to do it.
#[cardoon::task(name = "demo.send_mail")]
pub async fn send_mail(
    ctx: TaskContext,
    witness: State<Witness>,
    user_email: String,
    seconds: f64,
    smtp: SocketAddr,
) -> Result<(), TaskError> {
    let clock = Clock::real();
    let end = clock.boot().plus(Duration::try_from_secs_f64(seconds)?);
    witness.started(ctx.id(), ctx.run())?;
    transport(smtp).send(compose(ctx.id(), &user_email)?).await?;
    clock.sleep(end.since(clock.boot())).await;
    witness.ended(ctx.id(), ctx.run())?;
    Ok(())
}

/// The worker process of a demo that keeps its files in `folder`. Runs until it is told to drain.
pub async fn mail_worker(folder: &Path, name: &str) -> Result<()> {
    let folder = Folder::existing(folder);
    let broker = std::env::var(BROKER).unwrap_or_else(|_| folder.url());
    // The figures are those of the defaults, whatever the folder's settings say.
    let app = App::builder().broker(broker).settings(Settings::default()).open().await?;
    let witness = Witness::open(folder.witness(), Clock::real()).map_err(|error| no_witness(&error))?;
    let (slots, queue) = (folder.slots()?, folder.queue()?);
    Worker::builder(&app)
        .name(name)
        .queues([queue])
        .task::<send_mail>()
        .state(witness)
        .concurrency(slots)
        .run()
        .await?;
    Ok(())
}

fn transport(smtp: SocketAddr) -> AsyncSmtpTransport<Tokio1Executor> {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(smtp.ip().to_string()).port(smtp.port()).build()
}

/// Every run of a task sends the same `Message-ID`, as a careful task does: a receiver can tell a second copy.
fn compose(id: &TaskId, recipient: &str) -> Result<Message, TaskError> {
    let sender: Mailbox = "Cardoon <demo@example.com>".parse()?;
    let message = Message::builder().message_id(Some(format!("<{id}@demo.example.com>")));
    let message = message.from(sender).to(recipient.parse()?).subject("Welcome");
    Ok(message.body(format!("Dear {recipient},\r\nthis mail was sent by task {id}.\r\n"))?)
}

fn no_witness(error: &std::io::Error) -> Error {
    Error::new(Code::DrillFailed, format!("cannot write the witness's file: {error}"))
}
