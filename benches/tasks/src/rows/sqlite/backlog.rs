//! A million tasks wait and a hundred thousand are delayed: does it get slower? And when all are due at once?

use std::time::Duration;

use anyhow::Result;
use cardoon::builtin;

use crate::page::{Row, percent, rate};
use crate::process::WorkerProcess;
use crate::rows::sqlite::drain::SLOTS;
use crate::stopwatch::{self, Stopwatch};
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const WAITING: usize = 1_000_000;
const DELAYED: usize = 100_000;
const SOME: usize = 20_000;
const A_DAY: Duration = Duration::from_hours(24);

pub(crate) async fn measure(runs: usize, drain: f64) -> Result<Vec<Row>> {
    let (send_empty, claim_empty) = beside(&Fixture::empty, runs).await?;
    let (send_full, claim_full) = beside_backlog(runs).await?;
    let mut due = Vec::new();
    for _ in 0..runs {
        due.push(all_due_at_once().await?);
    }
    let due = median(due);
    let (of_send, of_claim) = (send_full / send_empty, claim_full / claim_empty);
    Ok(vec![
        Row {
            measure: "1,000,000 waiting and 100,000 delayed: `send_many` and drain of 20,000".into(),
            cardoon: format!(
                "{} ({}) and {} ({})",
                rate(send_full),
                percent(of_send),
                rate(claim_full),
                percent(of_claim)
            ),
            beside: format!("empty queue: {} and {}", rate(send_empty), rate(claim_empty)),
            goal: ">= 80 % of the empty queue".into(),
            is_met: Some(of_send >= 0.8 && of_claim >= 0.8),
        },
        Row {
            measure: "100,000 delayed tasks due at once: executed".into(),
            cardoon: format!("{}, {} of the drain rate", rate(due), percent(due / drain)),
            beside: format!("drain: {}", rate(drain)),
            goal: ">= 50 % of the drain rate".into(),
            is_met: Some(due >= 0.5 * drain),
        },
    ])
}

/// Send and drain rates with a fresh queue for each run.
async fn beside<F>(fresh: &dyn Fn() -> F, runs: usize) -> Result<(f64, f64)>
where
    F: Future<Output = Result<Fixture>>,
{
    let [mut sends, mut claims] = [const { Vec::new() }; 2];
    for _ in 0..runs {
        let fixture = fresh().await?;
        sends.push(send(&fixture).await?);
        claims.push(claim(&fixture)?);
        fixture.close().await?;
    }
    Ok((median(sends), median(claims)))
}

/// The same rates with one backlog, which is made once.
async fn beside_backlog(runs: usize) -> Result<(f64, f64)> {
    let fixture = Fixture::of_noops(WAITING).await?;
    delay(&fixture, DELAYED, A_DAY).await?;
    let [mut sends, mut claims] = [const { Vec::new() }; 2];
    for _ in 0..runs {
        sends.push(send(&fixture).await?);
        claims.push(claim(&fixture)?);
    }
    fixture.close().await?;
    Ok((median(sends), median(claims)))
}

async fn send(fixture: &Fixture) -> Result<f64> {
    let watch = Stopwatch::start();
    fixture.app.send_many((0..SOME).map(|_| builtin::noop::signature())).await?;
    Ok(SOME as f64 / watch.secs())
}

/// A fresh worker's rate over about [`SOME`] tasks.
fn claim(fixture: &Fixture) -> Result<f64> {
    let ends = fixture.ends()?;
    let before = ends.count()?;
    let worker = WorkerProcess::start(&fixture.url(), "claimer", SLOTS)?;
    let rate = ends.rate(before, before + SOME as u64)?;
    worker.end()?;
    Ok(rate)
}

async fn delay(fixture: &Fixture, count: usize, by: Duration) -> Result<()> {
    for _ in 0..count / 10_000 {
        let some = (0..10_000).map(|_| builtin::noop::signature().countdown(by));
        fixture.app.send_many(some).await?;
    }
    Ok(())
}

/// From the moment at which all are due.
async fn all_due_at_once() -> Result<f64> {
    let fixture = Fixture::empty().await?;
    let worker = WorkerProcess::start(&fixture.url(), "claimer", SLOTS)?;
    let wait = Duration::from_secs(8);
    let watch = Stopwatch::start();
    let due = cardoon::Timestamp(wall_millis()).plus(wait);
    for _ in 0..DELAYED / 10_000 {
        let some = (0..10_000).map(|_| builtin::noop::signature().eta(due));
        fixture.app.send_many(some).await?;
    }
    anyhow::ensure!(watch.elapsed() < wait, "sending took longer than the tasks were delayed");
    stopwatch::pause(wait.saturating_sub(watch.elapsed()));
    let executing = Stopwatch::start();
    let ends = fixture.ends()?;
    let last = DELAYED as u64;
    stopwatch::poll("the last task", Duration::from_millis(5), || Ok((ends.count()? >= last).then_some(())))?;
    let rate = DELAYED as f64 / executing.secs();
    worker.end()?;
    fixture.close().await?;
    Ok(rate)
}

#[expect(clippy::disallowed_methods, reason = "due times are of the wall clock")]
fn wall_millis() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as i64)
}
