//! Sending to Redis: one at a time beside other task queues, and many at once.

use anyhow::Result;

use crate::page::{Row, rate};
use crate::rows::redis::beside::Beside;
use crate::sides::cardoon_python::Package;
use crate::sides::celery::{Celery, How};
use crate::sides::huey_redis::HueyRedis;
use crate::sides::peer::{self, Peer, Peers};
use crate::stores::redis::Stage;
use cardoon_bench_common::median;

const ONE_AT_A_TIME: usize = 20_000;
/// What a peer takes long for is measured with fewer.
const FEW: usize = 5_000;
const MANY: usize = 100_000;
const MANY_GOAL: f64 = 100_000.0;

pub(crate) async fn measure(stage: &Stage, package: &Package, runs: usize) -> Result<Vec<Row>> {
    let ours = package.worker("-c 2");
    let peers = Peers::gather(vec![
        Box::new(HueyRedis { ignore_result: false }),
        Box::new(Celery::new(How::Late(2), false)),
    ]);
    let [mut single, mut many] = [const { Vec::new() }; 2];
    let mut rates: Vec<Vec<f64>> = peers.here.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        single.push(once(stage, &ours, "send", ONE_AT_A_TIME).await?);
        many.push(once(stage, &ours, "send-many", MANY).await?);
        for (peer, rates) in peers.here.iter().zip(&mut rates) {
            let count = if peer.reusable().is_some() { FEW } else { ONE_AT_A_TIME };
            rates.push(once(stage, peer.as_ref(), "send", count).await?);
        }
    }
    let beside = Beside::new(single, &peers, rates, |peer| peer.name());
    Ok(vec![
        beside.row("`.delay()`, one at a time from one sender", 1.3, ">= 1.3 times the best"),
        all_at_once(median(many)),
    ])
}

async fn once(stage: &Stage, peer: &dyn Peer, how: &str, count: usize) -> Result<f64> {
    stage.clear().await?;
    peer::send(peer, &stage.url(), how, count)
}

fn all_at_once(many: f64) -> Row {
    Row {
        measure: "`send_many`, 100,000 in one call".into(),
        cardoon: rate(many),
        beside: "-".into(),
        goal: format!(">= {}", rate(MANY_GOAL)),
        is_met: Some(many >= MANY_GOAL),
    }
}
