//! The built command: tasks over HTTP, a long history, and the doctor.

mod doctor;
mod history;
mod idle;
mod post;
mod readers;

use anyhow::Result;

use crate::page::Table;
use crate::sides::cardoon_command;
use crate::stores::redis::Stage;

/// What `--only` can name.
pub(crate) const NAMES: &[&str] = &["post", "readers", "idle", "history", "doctor"];

pub(crate) async fn measure(table: &mut Table) -> Result<()> {
    let stage = Stage::start().await?;
    table.name_version(format!("Redis: {}, no persistence", stage.version().await?));
    table.name_version(format!("SQLite: {}", rusqlite::version()));
    table.name_version(format!("command: {}", cardoon_command::version()?));
    let runs = table.runs();
    if table.wants("post") {
        table.add(post::measure(&stage, runs).await?);
    }
    if table.wants("readers") {
        table.add(readers::measure(&stage, runs).await?);
    }
    if table.wants("idle") {
        table.add(idle::measure(&stage, runs).await?);
    }
    if table.wants("history") {
        table.add(history::measure(runs).await?);
    }
    if table.wants("doctor") {
        table.add(doctor::measure(runs).await?);
    }
    Ok(())
}
