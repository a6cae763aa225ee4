use std::time::Duration;

use cardoon_broker::{Publish, Published};
use cardoon_core::{Priority, Signature, SignatureOptions, TaskId, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::ids;
use serde_json::json;

use super::task::outcome;
use crate::exit::Exit;
use crate::input;
use crate::log::sending;
use crate::session::Session;
use crate::stores::Stores;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The task, such as cardoon.add
    name: String,
    /// Positional arguments
    #[arg(long, value_name = "JSON", default_value = "[]", allow_hyphen_values = true)]
    args: String,
    /// Named arguments
    #[arg(long, value_name = "JSON", default_value = "{}")]
    kwargs: String,
    /// Not before this time from now
    #[arg(long = "in", value_name = "TIME", value_parser = input::duration, conflicts_with = "at",
          allow_hyphen_values = true)]
    delay: Option<Duration>,
    /// Not before this point in time
    #[arg(long, value_name = "RFC3339", value_parser = input::timestamp)]
    at: Option<Timestamp>,
    /// The queue
    #[arg(short = 'Q', long, default_value = "celery")]
    queue: String,
    /// From 0 to 9, 9 most urgent; 4 by default
    #[arg(long, value_parser = clap::value_parser!(u8).range(0..=9))]
    priority: Option<u8>,
    /// Not after this time from now
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    expires: Option<Duration>,
    /// End a run that takes longer
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    time_limit: Option<Duration>,
    /// The id to send under; the same id is not executed twice
    #[arg(long)]
    id: Option<String>,
    /// Wait for the result and print it
    #[arg(long)]
    wait: bool,
    /// Wait for at most this time
    #[arg(long, value_name = "TIME", value_parser = input::duration, requires = "wait")]
    timeout: Option<Duration>,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let id = options.id.as_deref().map_or_else(|| Ok(ids::task_id()), input::task_id)?;
    let (stores, answer) = send(session, signature(session, options, &id)?).await?;
    match answer {
        Published::Stored => {}
        Published::Duplicate => {
            session.talk.say(
                format!("{id} was sent before; nothing was added"),
                format!("{id} 以前发送过，这次什么也没有添加"),
            );
        }
    }
    if options.wait {
        session.talk.say(format!("sent {id}"), format!("已发送 {id}"));
        return outcome::wait_and_print(session, &stores, &id, options.timeout).await;
    }
    session.output.one(&json!({ "id": id }), |_| id.to_string())?;
    stores.close().await;
    Ok(Exit::Done)
}

async fn send(session: &Session, mut signature: Signature) -> Result<(Stores, Published)> {
    let _sending = sending(&mut signature);
    // What cannot be written is told before a database is made.
    let publish = publish(session, signature)?;
    let stores = session.connect().await?;
    let answer = store(&stores, publish).await?;
    Ok((stores, answer))
}

fn signature(session: &Session, options: &Options, id: &TaskId) -> Result<Signature> {
    let now = session.clock.now();
    Ok(Signature {
        task: task_name(&options.name)?,
        args: input::positional(&options.args)?,
        kwargs: input::named(&options.kwargs)?,
        options: SignatureOptions {
            id: Some(id.clone()),
            queue: Some(input::queue_name(&options.queue)?),
            eta: options.at.or_else(|| options.delay.map(|delay| now.plus(delay))),
            priority: options.priority.map(Priority::new),
            expires: options.expires.map(|after| now.plus(after)),
            time_limit: options.time_limit,
            ..SignatureOptions::default()
        },
    })
}

fn publish(session: &Session, signature: Signature) -> Result<Publish> {
    let origin = format!("{}@cardoon-send", std::process::id());
    let id = signature.options.id.clone().unwrap_or_else(ids::task_id);
    let message = cardoon_protocol::encode_within(&signature, id, &origin, &session.limits())?;
    let SignatureOptions { queue, eta, .. } = signature.options;
    Ok(Publish { queue: queue.unwrap_or_default(), message, not_before: eta, resent: false })
}

fn task_name(text: &str) -> Result<String> {
    let name = text.trim();
    if name.is_empty() {
        return Err(Error::new(Code::BadInput, "the task's name is empty").hint("cardoon send cardoon.noop"));
    }
    Ok(name.to_owned())
}

async fn store(stores: &Stores, publish: Publish) -> Result<Published> {
    let id = publish.message.id.clone();
    let answer = stores.broker.publish(vec![publish]).await.pop();
    let unanswered = || Err(Error::new(Code::Internal, "the broker did not answer for the message"));
    answer.unwrap_or_else(unanswered).map_err(|error| match error.was_applied() {
        cardoon_errors::Applied::Unknown => {
            error.hint(format!("repeat the command with --id {id}: it is not executed twice"))
        }
        _ => error,
    })
}
