//! A worker with two children empties a queue of no-ops in a file, beside huey.

use anyhow::Result;

use crate::page::{Row, rate, times};
use crate::sides::cardoon_python::Package;
use crate::sides::huey;
use crate::sides::peer::{self, Peer, Worker};
use crate::stores::sqlite::Fixture;
use cardoon_bench_common::median;

const MEASURE: &str = "drain 20,000 prefilled no-ops from SQLite, results stored, `-c 2`";
const TASKS: usize = 20_000;
/// Fewer, as huey needs a commit of its own to enqueue each; its rate does not depend on the number.
const TASKS_OF_HUEY: usize = 5_000;
const FACTOR: f64 = 3.0;

pub(crate) async fn measure(package: &Package, runs: usize) -> Result<Vec<Row>> {
    let absent = huey::install().map_err(|error| peer::absent(&huey::name(), &error));
    let [mut cardoon, mut hueys] = [const { Vec::new() }; 2];
    for _ in 0..runs {
        cardoon.push(once(package).await?);
        if absent.is_ok() {
            hueys.push(huey::drain(TASKS_OF_HUEY)?);
        }
    }
    let cardoon = median(cardoon);
    let Err(why) = absent else { return Ok(vec![beside_huey(cardoon, median(hueys))]) };
    Ok(vec![Row { cardoon: rate(cardoon), ..Row::unmeasured(MEASURE, why) }])
}

fn beside_huey(cardoon: f64, huey: f64) -> Row {
    Row {
        measure: MEASURE.into(),
        cardoon: format!("{}; {} huey", rate(cardoon), times(cardoon / huey)),
        beside: format!("{} 2 processes, no acknowledgement: {}", huey::name(), rate(huey)),
        goal: format!(">= {FACTOR:.0} times"),
        is_met: Some(cardoon >= FACTOR * huey),
    }
}

async fn once(package: &Package) -> Result<f64> {
    let fixture = Fixture::empty().await?;
    let ours = package.worker("-c 2");
    peer::send(&ours, &fixture.url(), "fill", TASKS)?;
    let ends = fixture.ends()?;
    let workers = Worker::start_all(ours.workers(&fixture.url())?)?;
    let rate = ends.rate(0, TASKS as u64)?;
    drop(workers);
    fixture.close().await?;
    Ok(rate)
}
