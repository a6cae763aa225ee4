//! The drain beside task queues in Rust and for Node.

use anyhow::Result;

use super::drain;
use crate::median::median;
use crate::page::{Row, rate, times};
use crate::sides::apalis::Apalis;
use crate::sides::bullmq::BullMq;
use crate::sides::peer::{self, Peer};
use crate::stores::redis::Stage;

/// All but Celery.
pub(super) fn all() -> Vec<Box<dyn Peer>> {
    vec![Box::new(Apalis::DEFAULTS), Box::new(Apalis::WIDE), Box::new(BullMq)]
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let (cardoon, beside) = beside(stage, runs, &all()).await?;
    let best = beside.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    Ok(vec![Row {
        measure: "drain of no-ops, results stored, beside other task queues".into(),
        cardoon: format!("{}; {} the best", rate(cardoon), times(cardoon / best)),
        beside: told(&beside),
        goal: ">= 1.8 times the best".into(),
        is_met: Some(cardoon >= 1.8 * best),
    }])
}

/// Our rate, and each peer's with its title.
pub(super) async fn beside(
    stage: &Stage,
    runs: usize,
    peers: &[Box<dyn Peer>],
) -> Result<(f64, Vec<(String, f64)>)> {
    let mut cardoon = Vec::new();
    let mut rates: Vec<Vec<f64>> = peers.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        cardoon.push(drain::once(stage, false).await?);
        for (peer, rates) in peers.iter().zip(&mut rates) {
            rates.push(peer::drain(stage, peer.as_ref()).await?);
        }
    }
    let titles = peers.iter().map(|peer| peer::title(peer.as_ref()));
    Ok((median(cardoon), titles.zip(rates.into_iter().map(median)).collect()))
}

pub(super) fn told(rates: &[(String, f64)]) -> String {
    let told = rates.iter().map(|(title, per_sec)| format!("{title}: {}", rate(*per_sec)));
    told.collect::<Vec<_>>().join(", ")
}
