//! Would a layout with streams be faster than lists?

use anyhow::Result;

use super::TASKS;
use super::drain::{self, BATCHES};
use crate::page::{Row, rate, times};
use crate::sides::bare_redis;
use crate::sides::bare_streams::{self, Streams};
use crate::stores::redis::{Stage, add_noops, close};
use cardoon_bench_common::median;

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ignore_result in [false, true] {
        rows.push(row(stage, runs, ignore_result).await?);
    }
    Ok(rows)
}

async fn row(stage: &Stage, runs: usize, ignore_result: bool) -> Result<Row> {
    let [mut lists, mut streams, mut checked] = [const { [const { Vec::new() }; BATCHES.len()] }; 3];
    for _ in 0..runs {
        for (place, batch) in BATCHES.into_iter().enumerate() {
            lists[place].push(drain::bare(stage, batch, ignore_result).await?);
            streams[place].push(once(stage, batch, ignore_result, false).await?);
            checked[place].push(once(stage, batch, ignore_result, true).await?);
        }
    }
    let [lists, streams, checked] = [lists, streams, checked].map(best);
    Ok(Row {
        measure: format!("bare loop of lists beside one of streams, {}", drain::results(ignore_result)),
        cardoon: format!("lists: {}", rate(lists)),
        beside: format!(
            "streams: {}, {}; with a look at each lease before its result is written: {}, {}",
            rate(streams),
            times(streams / lists),
            rate(checked),
            times(checked / lists)
        ),
        goal: "a layout with streams from 1.4 times on".into(),
        is_met: None,
    })
}

/// The best median.
fn best(rates: [Vec<f64>; BATCHES.len()]) -> f64 {
    rates.into_iter().map(median).fold(0.0, f64::max)
}

async fn once(stage: &Stage, batch: usize, ignore_result: bool, checks_leases: bool) -> Result<f64> {
    stage.clear().await?;
    let app = stage.app().await?;
    add_noops(&app, TASKS, ignore_result, None).await?;
    close(app).await?;
    let mut eye = stage.eye()?;
    let ids = bare_redis::waiting(&mut eye)?;
    bare_streams::fill(&mut eye)?;
    Streams { batch, keeps_results: !ignore_result, checks_leases }.drain(&stage.url(), &ids)
}
