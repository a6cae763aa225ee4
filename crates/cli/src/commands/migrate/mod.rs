//! Moving everything from one store to another.
//!
//! A message is claimed in the source, published in the target, then acknowledged in the source. Whoever is broken off
//! in between leaves it in both, under one id, and the next run takes it again; it is never in neither.

mod mover;
mod past;
mod report;
#[cfg(test)]
mod tests;

use std::time::Duration;

use cardoon_core::QueueName;
use cardoon_errors::{Code, Error, Result};

use self::mover::Mover;
use self::report::{Report, Row};
use crate::exit::Exit;
use crate::input;
use crate::output::{clean, shell_word};
use crate::session::Session;
use crate::signals::Signals;
use crate::stores::{self, Stores};

/// How long the mover may take to hand back what it holds when it is told to end.
const LEAVING: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The store to move from, such as sqlite:tasks.db
    #[arg(long, value_name = "URL")]
    from: String,
    #[arg(long, value_name = "URL", help = "The store to move to, such as redis://127.0.0.1:6379/0")]
    to: String,
    /// Only these queues: mail,low
    #[arg(short = 'Q', long, value_delimiter = ',', value_name = "QUEUES")]
    queues: Vec<String>,
    /// Move the dead letters too
    #[arg(long)]
    dead: bool,
    /// Copy the results of ended tasks too
    // It takes the place of the global option of this name, and so has its type.
    #[arg(long, num_args = 0, default_missing_value = "")]
    results: Option<String>,
    /// Only count what would be moved
    #[arg(long)]
    dry_run: bool,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let mut signals = Signals::listen()?;
    let chosen = options.queues.iter().map(|queue| input::queue_name(queue)).collect::<Result<Vec<_>>>()?;
    let (source, target) = open(session, options).await?;
    let report = Report::of_source(&source, &chosen, options.dead).await?;
    if options.dry_run {
        session.output.one(&report, |report| report.render(session.output.language()))?;
        return Ok(Exit::Done);
    }
    let queues = report.queues();
    refuse_paused(&source, &queues).await?;
    let mut mover = Mover::join(&source.broker, &target, queues.clone(), &session.clock).await?;
    let bar = session.talk.progress(report.waiting(), "moved", "已搬");
    let ended = tokio::select! {
        ended = mover.run(|moved| bar.inc(moved)) => Some(ended),
        _ = signals.next() => None,
    };
    bar.finish_and_clear();
    let left = tokio::time::timeout(LEAVING, mover.leave()).await;
    let Some(ended) = ended else {
        session.talk.say(
            "interrupted; nothing is lost: run the command again to move the rest",
            "已中断，没有丢失任何东西：再运行一次即可搬完剩下的",
        );
        return Ok(Exit::Interrupted);
    };
    ended.and(left.unwrap_or(Ok(())))?;
    finish(session, options, &source, &target, report.with(mover.into_counts())).await
}

/// Moves the past, looks what is left, and tells.
async fn finish(
    session: &Session,
    options: &Options,
    source: &Stores,
    target: &Stores,
    mut report: Report,
) -> Result<Exit> {
    if options.dead {
        for queue in report.queues() {
            let moved = past::move_dead(&*source.broker, &*target.broker, &queue).await?;
            report.row(&queue).dead = moved;
        }
    }
    if options.results.is_some() {
        report.results = past::copy_results(source, target, &report.queues()).await?;
    }
    report.look_what_is_left(source, options.dead).await?;
    source.close().await;
    target.close().await;
    session.output.one(&report, |report| report.render(session.output.language()))?;
    for row in report.rows.iter().filter(|row| row.left > 0) {
        tell_what_remains(session, row);
    }
    Ok(if report.rows.iter().any(|row| row.left > 0) { Exit::Partly } else { Exit::Done })
}

fn tell_what_remains(session: &Session, row: &Row) {
    let Row { left, refused, .. } = row;
    let queue = clean(row.queue.as_str());
    match row.refusal.as_deref().map(clean) {
        Some(reason) => session.talk.say(
            format!("{queue}: {left} left, of which the target refused {refused}: {reason}"),
            format!("{queue}：还剩 {left} 条，其中 {refused} 条被目标存储拒绝：{reason}"),
        ),
        None => session.talk.say(
            format!("{queue}: {left} left, held by workers or sent meanwhile; run the command again"),
            format!("{queue}：还剩 {left} 条，在 worker 手上或者是期间新发的；请再运行一次"),
        ),
    }
}

/// Opens both stores, which must be two.
async fn open(session: &Session, options: &Options) -> Result<(Stores, Stores)> {
    stores::refuse_memory(&options.from)?;
    stores::refuse_memory(&options.to)?;
    if let Some(path) = cardoon_connect::database_file(&options.from)
        && !path.exists()
    {
        return Err(stores::no_database(&path));
    }
    let source = stores::at(&options.from, None, &session.settings, &session.clock).await?;
    let target = stores::at(&options.to, None, &session.settings, &session.clock).await?;
    if source.location == target.location {
        return Err(same_store(&source.location, &target.location));
    }
    Ok((source, target))
}

/// Nobody can take from a paused queue, so moving it would never end.
async fn refuse_paused(source: &Stores, queues: &[QueueName]) -> Result<()> {
    let stats = source.broker.inspect().queues().await?.into_iter();
    match stats.filter(|stats| stats.paused).map(|stats| stats.queue).find(|queue| queues.contains(queue)) {
        None => Ok(()),
        Some(queue) => {
            let name = clean(queue.as_str());
            Err(Error::new(
                Code::QueuePaused,
                format!("the queue {name} is paused: nothing can be taken from it"),
            )
            .hint(format!("cardoon queue resume {}", shell_word(queue.as_str()))))
        }
    }
}

fn same_store(from: &str, to: &str) -> Error {
    Error::new(Code::BadInput, format!("{from} and {to} are one store"))
        .hint("name two stores: cardoon migrate --from sqlite:tasks.db --to redis://127.0.0.1:6379/0")
}

/// Whether `queue` is among `chosen`, which are all if it names none.
fn is_chosen(chosen: &[QueueName], queue: &QueueName) -> bool {
    chosen.is_empty() || chosen.contains(queue)
}
