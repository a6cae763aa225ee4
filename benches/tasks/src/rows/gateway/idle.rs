//! What a gateway costs that nobody asks.

use std::time::Duration;

use anyhow::Result;

use crate::http::{Connection, get, post};
use crate::page::Row;
use crate::sides::cardoon_command::Gateway;
use crate::stopwatch;
use crate::stores::redis::Stage;
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const REQUESTS: usize = 100;
/// Longer than threads stay that have nothing to do: the processor time of those that end is not counted.
const SETTLING: Duration = Duration::from_secs(12);
const WATCHED: Duration = Duration::from_secs(20);
/// In megabytes.
const MOST: f64 = 25.0;

/// Medians, or the runs that they are of.
#[derive(Default)]
struct Cost<T> {
    mb: T,
    /// Percent of one processor.
    processor: T,
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let [mut redis, mut sqlite] = [Cost::default(), Cost::default()];
    for _ in 0..runs {
        stage.clear().await?;
        redis.push(&once(&stage.url()).await?);
        let fixture = Fixture::empty().await?;
        sqlite.push(&once(&fixture.url()).await?);
        fixture.close().await?;
    }
    Ok(vec![redis.median().row("Redis"), sqlite.median().row("SQLite")])
}

async fn once(url: &str) -> Result<Cost<f64>> {
    let gateway = Gateway::start(url)?;
    // Requests that were answered have loaded what is loaded late.
    let mut connection = Connection::open(gateway.address()).await?;
    for _ in 0..REQUESTS {
        connection.ask(&post("/api/v1/tasks", r#"{"task":"cardoon.noop"}"#)).await?;
        connection.ask(&get("/api/v1/tasks")).await?;
    }
    drop(connection);
    stopwatch::pause(SETTLING);
    let family = gateway.family()?;
    let before = family.processor_secs()?;
    stopwatch::pause(WATCHED);
    let used = family.processor_secs()? - before;
    Ok(Cost { mb: family.proportional_mib()? * 1.048_576, processor: used / WATCHED.as_secs_f64() * 100.0 })
}

impl Cost<Vec<f64>> {
    fn push(&mut self, run: &Cost<f64>) {
        self.mb.push(run.mb);
        self.processor.push(run.processor);
    }

    fn median(self) -> Cost<f64> {
        Cost { mb: median(self.mb), processor: median(self.processor) }
    }
}

impl Cost<f64> {
    fn row(&self, store: &str) -> Row {
        Row {
            measure: format!(
                "idle gateway on {store}, after {} requests: memory (PSS) / processor over 20 s",
                2 * REQUESTS
            ),
            cardoon: format!("{:.1} MB / {:.2} %", self.mb, self.processor),
            beside: "-".into(),
            goal: format!("<= {MOST:.0} MB"),
            is_met: Some(self.mb <= MOST),
        }
    }
}
