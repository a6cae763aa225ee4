//! The drain beside task queues in Rust and for Node.

use anyhow::Result;

use super::beside::Beside;
use super::drain;
use crate::page::Row;
use crate::sides::apalis::Apalis;
use crate::sides::bullmq::BullMq;
use crate::sides::peer::{self, Peer, Peers};
use crate::stores::redis::Stage;

/// All but Celery.
pub(super) fn all() -> Vec<Box<dyn Peer>> {
    vec![Box::new(Apalis::DEFAULTS), Box::new(Apalis::WIDE), Box::new(BullMq)]
}

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let beside = beside(stage, runs, all()).await?;
    let measure = "drain of no-ops, results stored, beside other task queues";
    Ok(vec![beside.row(measure, 1.8, ">= 1.8 times the best")])
}

pub(super) async fn beside(stage: &Stage, runs: usize, peers: Vec<Box<dyn Peer>>) -> Result<Beside> {
    let peers = Peers::gather(peers);
    let mut cardoon = Vec::new();
    let mut rates: Vec<Vec<f64>> = peers.here.iter().map(|_| Vec::new()).collect();
    for _ in 0..runs {
        cardoon.push(drain::once(stage, false).await?);
        for (peer, rates) in peers.here.iter().zip(&mut rates) {
            rates.push(peer::drain(stage, peer.as_ref()).await?);
        }
    }
    Ok(Beside::new(cardoon, &peers, rates, peer::title))
}
