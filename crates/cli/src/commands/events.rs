use std::time::Duration;

use cardoon_core::Event;
use cardoon_errors::{Language, Result};

use crate::exit::Exit;
use crate::input;
use crate::language::choose;
use crate::output::{cut, local_time};
use crate::session::Session;

/// Longest text of an event that is shown to people.
const DETAIL: usize = 120;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// End after so many
    #[arg(long)]
    limit: Option<u64>,
    /// End after this time
    #[arg(long = "for", value_name = "TIME", value_parser = input::duration)]
    span: Option<Duration>,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let stores = session.connect().await?;
    let location = &stores.location;
    session
        .talk
        .say(format!("following {location}; Ctrl-C ends"), format!("正在跟踪 {location}，按 Ctrl-C 结束"));
    let over = async {
        match options.span {
            Some(span) => session.clock.sleep(span).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = over => {}
        ended = follow(session, &stores, options.limit) => ended?,
    }
    stores.close().await;
    Ok(Exit::Done)
}

async fn follow(session: &Session, stores: &crate::stores::Stores, limit: Option<u64>) -> Result<()> {
    let mut stream = stores.broker.listen().await?;
    let mut left = limit.unwrap_or(u64::MAX);
    while left > 0 && !session.output.is_closed() {
        let events = stream.next().await?;
        if events.is_empty() {
            return Ok(());
        }
        for event in events.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            session.output.one(event, |event| line(event, session.language))?;
            left -= 1;
        }
    }
    Ok(())
}

/// An event for people: its time, then its words.
fn line(event: &Event, language: Language) -> String {
    format!("{} {}", local_time(event.timestamp), words(event, language))
}

/// An event for people: its kind, then what it has.
pub(super) fn words(event: &Event, language: Language) -> String {
    let mut line = format!("{:<16}", event.kind.as_str());
    let on = |worker: String| choose(language, format!("on {worker}"), format!("在 {worker} 上"));
    let attempt = |attempt| choose(language, format!("attempt {attempt}"), format!("尝试 {attempt}"));
    let parts = [
        event.task.as_deref().map(|task| cut(task, DETAIL)),
        event.id.as_ref().map(ToString::to_string),
        Some(cut(&event.worker, DETAIL)).filter(|worker| !worker.is_empty()).map(on),
        event.attempt.filter(|attempt| *attempt > 0).map(attempt),
        event.count.map(|count| format!("×{count}")),
        event.runtime.map(|seconds| format!("{seconds:.3} s")),
        event.detail.as_deref().map(|detail| cut(detail, DETAIL)),
    ];
    for part in parts.into_iter().flatten() {
        line.push(' ');
        line.push_str(&part);
    }
    line
}
