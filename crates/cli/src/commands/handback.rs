use std::time::Duration;

use cardoon_broker::{Handback, HandbackReport, HandbackWish, HandedBack, Member};
use cardoon_errors::{Code, Error, Result};
use serde::Serialize;

use crate::exit::Exit;
use crate::input;
use crate::output::{Table, clean};
use crate::session::Session;
use crate::stores::Stores;

/// Between two looks whether the workers are gone.
const LOOK: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Wait for at most this time until no worker is alive
    #[arg(long, value_name = "TIME", value_parser = input::duration)]
    wait: Option<Duration>,
    /// Hand back the dead letters too
    #[arg(long)]
    dead: bool,
    /// Only count what would be handed back
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Item {
    queue: String,
    delayed: u64,
    held: u64,
    dead: u64,
    ended: u64,
}

pub(crate) async fn run(session: &Session, options: &Options) -> Result<Exit> {
    let stores = session.connect_to_look().await?;
    let handback = stores.broker.handback().ok_or_else(|| nobody_else(&stores))?;
    let wish = HandbackWish { dead: options.dead, dry_run: options.dry_run };
    let report = patiently(session, options, handback, wish).await?;
    if !report.alive.is_empty() && !options.dry_run {
        return Err(still_alive(&report.alive));
    }
    for member in &report.alive {
        session
            .talk
            .say(format!("alive: {}", described(member)), format!("还在运行：{}", in_chinese(member)));
    }
    let items: Vec<_> = report.queues.into_iter().map(Item::of).collect();
    session.output.list(&items, table)?;
    let left = if options.dry_run { 0 } else { left(&stores).await? };
    stores.close().await;
    if left > 0 {
        session.talk.say(
            format!("{left} message(s) came meanwhile and are left: run the command again"),
            format!("期间又来了 {left} 条消息，还没有交还：请再运行一次"),
        );
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

/// Tries until no worker is alive, as long as the options allow.
async fn patiently(
    session: &Session,
    options: &Options,
    handback: &dyn Handback,
    wish: HandbackWish,
) -> Result<HandbackReport> {
    let end = session.clock.boot().plus(options.wait.unwrap_or_default());
    let mut said = false;
    loop {
        let report = handback.hand_back(wish).await?;
        if report.alive.is_empty() || wish.dry_run || session.clock.boot() >= end {
            return Ok(report);
        }
        if !std::mem::replace(&mut said, true) {
            let names = |described: fn(&Member) -> String| -> Vec<String> {
                report.alive.iter().map(described).collect()
            };
            session.talk.say(
                format!("waiting for {}", names(described).join(", ")),
                format!("等待退出：{}", names(in_chinese).join("、")),
            );
        }
        session.clock.sleep(LOOK).await;
    }
}

/// What came after it was looked for.
async fn left(stores: &Stores) -> Result<u64> {
    let queues = stores.broker.inspect().queues().await?;
    Ok(queues.iter().map(|stats| stats.delayed + stats.held).sum())
}

fn described(member: &Member) -> String {
    let Member { pid, held, .. } = member;
    format!("worker {} (process {}, holds {})", clean(&member.worker), pid, held)
}

fn in_chinese(member: &Member) -> String {
    format!("worker {}（进程 {}，手上有 {} 条）", clean(&member.worker), member.pid, member.held)
}

fn still_alive(alive: &[Member]) -> Error {
    let text = format!("{} worker(s) of Cardoon are alive, so nothing was handed back", alive.len());
    let error = alive
        .iter()
        .fold(Error::new(Code::WorkersAlive, text), |error, member| error.checked(described(member)));
    error.hint("end them, then: cardoon handback --wait 30s")
}

fn nobody_else(stores: &Stores) -> Error {
    Error::new(Code::Unsupported, "nobody but Cardoon takes from these queues, so nothing can be handed back")
        .checked(format!("store: {}", stores.location))
        .hint("to move its tasks to Redis: cardoon migrate --help")
}

impl Item {
    fn of(counts: HandedBack) -> Self {
        let HandedBack { queue, delayed, held, dead, ended } = counts;
        Self { queue: queue.to_string(), delayed, held, dead, ended }
    }
}

fn table(items: &[Item]) -> Table {
    let mut table = Table::new(&["QUEUE", "DELAYED", "HELD", "DEAD", "ENDED"]);
    for column in 1..=4 {
        table = table.right(column);
    }
    for item in items {
        let counts = [item.delayed, item.held, item.dead, item.ended];
        table.row(std::iter::once(item.queue.clone()).chain(counts.iter().map(ToString::to_string)));
    }
    table
}
