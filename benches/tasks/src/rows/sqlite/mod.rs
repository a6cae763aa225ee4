//! Tasks in a file.

mod backlog;
mod drain;
mod idle;
pub(crate) mod open_loop;
mod send;
mod two;

use anyhow::Result;

use crate::page::Table;

/// What `--only` can name.
pub(crate) const NAMES: &[&str] = &["drain", "two", "send", "open-loop", "idle", "backlog"];

pub(crate) async fn measure(table: &mut Table) -> Result<()> {
    table.name_version(format!("SQLite: {}", rusqlite::version()));
    let runs = table.runs();
    if table.wants("drain") || table.wants("backlog") {
        let drain = drain::measure(runs).await?;
        table.add(drain.rows());
        if table.wants("backlog") {
            table.add(backlog::measure(runs, drain.rate()).await?);
        }
    }
    if table.wants("open-loop") {
        table.add(open_loop::measure(runs).await?);
    }
    if table.wants("two") {
        table.add(two::measure(runs).await?);
    }
    if table.wants("send") {
        table.add(send::measure(runs).await?);
    }
    if table.wants("idle") {
        table.add(idle::measure(runs).await?);
    }
    Ok(())
}
