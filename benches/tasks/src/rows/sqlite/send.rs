//! Sending: one at a time from eight threads, and many at once beside a bare loop of inserts.

use std::time::Duration;

use anyhow::{Result, bail};
use cardoon::{App, builtin};

use crate::page::{Row, percent, rate};
use crate::sides::bare_sqlite as bare;
use crate::stopwatch::Stopwatch;
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const THREADS: usize = 8;
const MANY: usize = 100_000;
const SPAN: Duration = Duration::from_secs(3);

pub(crate) async fn measure(runs: usize) -> Result<Vec<Row>> {
    let [mut single, mut many, mut bare] = [const { Vec::new() }; 3];
    for _ in 0..runs {
        single.push(from_threads().await?);
        many.push(at_once().await?);
        bare.push(bare_insert().await?);
    }
    let [single, many, bare] = [single, many, bare].map(median);
    Ok(vec![
        Row {
            measure: "`send`, one at a time from each of 8 threads".into(),
            cardoon: rate(single),
            beside: "-".into(),
            goal: ">= 10 k/s".into(),
            is_met: Some(single >= 10_000.0),
        },
        Row {
            measure: "`send_many`, 100,000 in one call".into(),
            cardoon: format!("{}, {} of the bare loop", rate(many), percent(many / bare)),
            beside: format!("bare loop of the same inserts, 256 a transaction: {}", rate(bare)),
            goal: ">= 60 % of the bare loop".into(),
            is_met: Some(many >= 0.6 * bare),
        },
    ])
}

async fn from_threads() -> Result<f64> {
    let fixture = Fixture::empty().await?;
    let runtime = tokio::runtime::Handle::current();
    let watch = Stopwatch::start();
    let sent: Result<usize> = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let send = || runtime.block_on(send_for(&fixture.app));
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(send)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| bail!("a sender panicked")))
                .sum()
        })
    });
    let sent = sent?;
    let rate = sent as f64 / watch.secs();
    fixture.close().await?;
    Ok(rate)
}

async fn send_for(app: &App) -> Result<usize> {
    let watch = Stopwatch::start();
    let mut sent = 0;
    while watch.elapsed() < SPAN {
        let _ = app.send(builtin::noop::signature()).await?;
        sent += 1;
    }
    Ok(sent)
}

async fn at_once() -> Result<f64> {
    let fixture = Fixture::empty().await?;
    let watch = Stopwatch::start();
    fixture.app.send_many((0..MANY).map(|_| builtin::noop::signature())).await?;
    let rate = MANY as f64 / watch.secs();
    fixture.close().await?;
    Ok(rate)
}

async fn bare_insert() -> Result<f64> {
    let fixture = Fixture::of_noops(1).await?;
    let rate = bare::insert(&fixture.database(), MANY, 256)?;
    fixture.close().await?;
    Ok(rate)
}
