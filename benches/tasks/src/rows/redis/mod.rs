//! Tasks on a Redis server.

mod backlog;
pub(crate) mod beside;
mod celery;
pub(crate) mod drain;
pub(crate) mod open_loop;
mod peers;
mod send;
mod slow_line;
mod streams;
mod wait;

use anyhow::Result;

use crate::page::Table;
use crate::stores::redis::Stage;
use cardoon_bench_common::machine;

/// What `--only` can name.
pub(crate) const NAMES: &[&str] =
    &["drain", "celery", "peers", "send", "wait", "open-loop", "slow-line", "backlog", "streams"];

/// Slots of the worker process that drains no-ops.
pub(crate) const SLOTS: u32 = 64;
/// Tasks of a drain.
pub(crate) const TASKS: usize = 20_000;

pub(crate) async fn measure(table: &mut Table) -> Result<()> {
    let stage = Stage::start().await?;
    table.name_version(format!("Redis: {}, no persistence", stage.version().await?));
    table.name_version(format!("Python: {}", machine::output("python3", &["--version"])));
    table.name_version(format!("Node: {}", machine::output("node", &["--version"])));
    let runs = table.runs();
    if table.wants("drain") {
        table.add(drain::measure(&stage, runs).await?);
    }
    if table.wants("celery") {
        table.add(celery::measure(&stage, runs).await?);
    }
    if table.wants("peers") {
        table.add(peers::measure(&stage, runs).await?);
    }
    if table.wants("send") {
        table.add(send::measure(&stage, runs).await?);
    }
    if table.wants("wait") {
        table.add(wait::measure(&stage, runs).await?);
    }
    if table.wants("open-loop") {
        table.add(open_loop::measure(&stage, runs).await?);
    }
    if table.wants("backlog") {
        table.add(backlog::measure(&stage, runs).await?);
    }
    if table.wants("streams") {
        table.add(streams::measure(&stage, runs).await?);
    }
    if table.wants("slow-line") {
        table.add(slow_line::measure(stage, runs).await?);
    }
    Ok(())
}
