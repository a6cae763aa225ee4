//! The Python package.

mod asyncio;
mod drain;
mod faults;
mod idle;
mod send;
mod sqlite;
mod wait;

use std::path::Path;

use anyhow::Result;

use crate::page::{Row, Table};
use crate::sides::cardoon_python::Package;
use crate::stores::redis::Stage;
use cardoon_bench_common::machine;

/// What `--only` can name.
pub(crate) const NAMES: &[&str] = &["drain", "sqlite", "send", "wait", "idle", "faults", "asyncio"];

pub(crate) async fn measure(table: &mut Table, wheel: &Path) -> Result<()> {
    let package = Package::install(wheel)?;
    let stage = Stage::start().await?;
    table.name_version(format!("Redis: {}, no persistence", stage.version().await?));
    table.name_version(format!("SQLite: {}", rusqlite::version()));
    table.name_version(format!("Python: {}", machine::output("python3", &["--version"])));
    table.name_version(format!("package: {}", package.version()?));
    let runs = table.runs();
    if table.wants("drain") {
        table.add(drain::measure(&stage, &package, runs).await?);
    }
    if table.wants("sqlite") {
        table.add(sqlite::measure(&package, runs).await?);
    }
    if table.wants("send") {
        table.add(send::measure(&stage, &package, runs).await?);
    }
    if table.wants("wait") {
        table.add(wait::measure(&stage, &package, runs).await?);
    }
    if table.wants("idle") {
        table.add(idle::measure(&stage, &package, runs).await?);
        table.add(vec![size(wheel)?]);
    }
    if table.wants("faults") {
        table.add(faults::measure(&stage, &package, runs).await?);
    }
    if table.wants("asyncio") {
        table.add(asyncio::measure(&stage, &package, runs).await?);
    }
    Ok(())
}

fn size(wheel: &Path) -> Result<Row> {
    let mb = std::fs::metadata(wheel)?.len() as f64 / 1e6;
    Ok(Row {
        measure: "size of the wheel".into(),
        cardoon: format!("{mb:.1} MB"),
        beside: "-".into(),
        goal: "<= 25 MB".into(),
        is_met: Some(mb <= 25.0),
    })
}
