//! A million tasks wait, a hundred thousand are delayed, there are fifty queues: does it get slower?

use std::time::Duration;

use anyhow::Result;
use cardoon::{App, builtin};

use super::{SLOTS, TASKS};
use crate::page::{Row, percent, rate};
use crate::process::WorkerProcess;
use crate::stopwatch::Stopwatch;
use crate::stores::redis::{Places, Stage, add_noops, close};
use crate::worker::queue;
use cardoon_bench_common::median;

const WAITING: usize = 1_000_000;
const DELAYED: usize = 100_000;
const QUEUES: usize = 50;
const A_DAY: Duration = Duration::from_hours(24);

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let mut empty = Rates::default();
    for _ in 0..runs {
        stage.clear().await?;
        let app = stage.app().await?;
        empty.add(stage, &app, None).await?;
        close(app).await?;
    }
    let mut rows = Vec::new();
    for queues in [None, Some(QUEUES)] {
        let mut full = Rates::default();
        stage.clear().await?;
        let app = stage.app().await?;
        add_noops(&app, WAITING, false, queues).await?;
        delay(&app, queues).await?;
        for _ in 0..runs {
            full.add(stage, &app, queues).await?;
        }
        close(app).await?;
        rows.push(row(queues, &full.medians(), &empty.medians()));
    }
    stage.clear().await?;
    Ok(rows)
}

fn row(queues: Option<usize>, full: &(f64, f64), empty: &(f64, f64)) -> Row {
    let (of_send, of_drain) = (full.0 / empty.0, full.1 / empty.1);
    let spread = queues.map_or_else(String::new, |queues| format!(" in {queues} queues"));
    Row {
        measure: format!("1,000,000 waiting and 100,000 delayed{spread}: `send_many` and drain of 20,000"),
        cardoon: format!(
            "{} ({}) and {} ({})",
            rate(full.0),
            percent(of_send),
            rate(full.1),
            percent(of_drain)
        ),
        beside: format!("one empty queue: {} and {}", rate(empty.0), rate(empty.1)),
        goal: ">= 80 % of the empty queue".into(),
        is_met: Some(of_send >= 0.8 && of_drain >= 0.8),
    }
}

/// Of sending and of draining.
#[derive(Default)]
struct Rates {
    sends: Vec<f64>,
    drains: Vec<f64>,
}

impl Rates {
    async fn add(&mut self, stage: &Stage, app: &App, queues: Option<usize>) -> Result<()> {
        let watch = Stopwatch::start();
        add_noops(app, TASKS, false, queues).await?;
        self.sends.push(TASKS as f64 / watch.secs());
        self.drains.push(drain(stage, queues)?);
        Ok(())
    }

    fn medians(&self) -> (f64, f64) {
        (median(self.sends.clone()), median(self.drains.clone()))
    }
}

/// A fresh worker's rate over about [`TASKS`] tasks.
fn drain(stage: &Stage, queues: Option<usize>) -> Result<f64> {
    let (mut eye, places) = (stage.eye()?, Places::of_cardoon(queues));
    let before = eye.left(&places)?;
    let options = queues.map(|queues| vec!["--queues".to_owned(), queues.to_string()]).unwrap_or_default();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let worker = WorkerProcess::start_with(&stage.url(), "claimer", SLOTS, &options)?;
    let rate = eye.rate(&places, before, TASKS as u64)?;
    worker.end()?;
    Ok(rate)
}

async fn delay(app: &App, queues: Option<usize>) -> Result<()> {
    for _ in 0..DELAYED / 10_000 {
        let delayed = |index: usize| {
            let signature = builtin::noop::signature().countdown(A_DAY);
            match queues {
                Some(queues) => signature.queue(queue(index % queues)),
                None => signature,
            }
        };
        app.send_many((0..10_000).map(delayed)).await?;
    }
    Ok(())
}
