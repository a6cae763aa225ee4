use cardoon_errors::Result;
use serde_json::json;

use crate::exit::Exit;
use crate::input;
use crate::language::choose;
use crate::output::clean;
use crate::session::Session;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The queue
    queue: String,
}

/// Pauses a queue, or resumes it.
pub(crate) async fn run(session: &Session, options: &Options, pause: bool) -> Result<Exit> {
    let queue = input::queue_name(&options.queue)?;
    let stores = session.connect_to_look().await?;
    super::tell_if_unknown(session, &stores, &queue).await?;
    let control = stores.broker.control();
    let changed = if pause { control.pause(&queue).await? } else { control.resume(&queue).await? };
    if pause && stores.broker.inspect().may_have_strangers().await? {
        session.talk.say(
            "workers of Celery that take from the same queue are not stopped by this",
            "从同一队列取任务的 Celery worker 不受影响，不会停下来",
        );
    }
    stores.close().await;
    let answer = json!({ "queue": queue, "paused": pause, "changed": changed });
    session.output.one(&answer, |_| {
        let name = clean(queue.as_str());
        let (english, chinese) =
            if pause { ("is paused", "已暂停") } else { ("is not paused", "没有暂停") };
        choose(session.language, format!("{name} {english}"), format!("{name} {chinese}"))
    })?;
    Ok(Exit::Done)
}
