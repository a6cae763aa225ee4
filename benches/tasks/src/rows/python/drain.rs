//! A worker with two children empties a queue of no-ops on Redis; beside it our Rust worker, and other task queues.

use anyhow::Result;

use crate::page::{Row, percent, rate};
use crate::rows::redis::beside::Beside;
use crate::rows::redis::{SLOTS, drain};
use crate::sides::cardoon_python::Package;
use crate::sides::celery::{Celery, How};
use crate::sides::huey_redis::HueyRedis;
use crate::sides::peer::{self, Peers};
use crate::sides::taskiq::Taskiq;
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

/// Of the rate of our Rust worker.
const OF_RUST: f64 = 0.6;

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ignore_result in [false, true] {
        rows.extend(with_results(stage, package, runs, ignore_result).await?);
    }
    Ok(rows)
}

async fn with_results(
    stage: &Stage,
    package: &Package,
    runs: usize,
    ignore_result: bool,
) -> Result<[Row; 2]> {
    let ours = package.worker("-c 2").ignoring(ignore_result);
    let peers = Peers::gather(vec![
        Box::new(Taskiq { ignore_result }),
        Box::new(HueyRedis { ignore_result }),
        Box::new(Celery::new(How::Late(2), ignore_result)),
    ]);
    let [mut rust, mut cardoon] = [const { Vec::new() }; 2];
    let mut rates: Vec<Vec<f64>> = peers.here.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        rust.push(drain::once(stage, ignore_result).await?);
        cardoon.push(peer::drain(stage, &ours).await?);
        for (peer, rates) in peers.here.iter().zip(&mut rates) {
            rates.push(peer::drain(stage, peer.as_ref()).await?);
        }
    }
    let results = drain::results(ignore_result);
    let of_rust = beside_rust(results, median(cardoon.clone()), median(rust));
    let beside = Beside::new(cardoon, &peers, rates, peer::title);
    let measure = format!("the same, {results}, beside other task queues for Python");
    Ok([of_rust, beside.row(&measure, 2.2, ">= 2.2 times the best")])
}

fn beside_rust(results: &str, cardoon: f64, rust: f64) -> Row {
    Row {
        measure: format!("drain 20,000 prefilled no-ops from Redis, {results}, `-c 2`"),
        cardoon: format!("{}; {} of the Rust worker", rate(cardoon), percent(cardoon / rust)),
        beside: format!("our Rust worker with {SLOTS} slots: {}", rate(rust)),
        goal: format!(">= {} of the Rust worker", percent(OF_RUST)),
        is_met: Some(cardoon >= OF_RUST * rust),
    }
}
