//! Sending: one at a time, and many at once, beside other task queues.

use anyhow::Result;
use cardoon::builtin;

use super::beside::Beside;
use crate::page::Row;
use crate::sides::apalis::Apalis;
use crate::sides::bullmq::BullMq;
use crate::sides::celery::Celery;
use crate::sides::peer::{self, Peer, Peers};
use crate::stopwatch::Stopwatch;
use crate::stores::redis::{Stage, close};

const ONE_AT_A_TIME: usize = 20_000;
const MANY: usize = 100_000;
/// What a peer takes long for is measured with fewer.
const FEW: usize = 5_000;

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let singles: Vec<Box<dyn Peer>> =
        vec![Box::new(Apalis::DEFAULTS), Box::new(BullMq), Box::new(Celery::defaults())];
    let bulks: Vec<Box<dyn Peer>> = vec![Box::new(Apalis::DEFAULTS), Box::new(BullMq)];
    let single = Sends { how: "send", count: ONE_AT_A_TIME, peers: Peers::gather(singles) };
    let many = Sends { how: "send-many", count: MANY, peers: Peers::gather(bulks) };
    let single = single.measure(stage, runs).await?;
    let many = many.measure(stage, runs).await?;
    Ok(vec![
        single.row("`send`, one at a time from one sender", 1.0, ">= the best"),
        many.row("`send_many`, 100,000 in one call (others: 1000 a call)", 1.2, ">= 1.2 times the best"),
    ])
}

/// One way to send.
struct Sends {
    how: &'static str,
    count: usize,
    peers: Peers,
}

impl Sends {
    async fn measure(&self, stage: &Stage, runs: usize) -> Result<Beside> {
        let here = &self.peers.here;
        let mut cardoon = Vec::new();
        let mut rates: Vec<Vec<f64>> = here.iter().map(|_| Vec::new()).collect();
        for _ in 0..runs {
            cardoon.push(self.ours(stage).await?);
            for (peer, rates) in here.iter().zip(&mut rates) {
                stage.clear().await?;
                rates.push(peer::send(peer.as_ref(), &stage.url(), self.how, self.of_peer(peer.as_ref()))?);
            }
        }
        Ok(Beside::new(cardoon, &self.peers, rates, |peer| peer.name()))
    }

    fn of_peer(&self, peer: &dyn Peer) -> usize {
        if peer.reusable().is_some() { FEW } else { self.count }
    }

    async fn ours(&self, stage: &Stage) -> Result<f64> {
        stage.clear().await?;
        let app = stage.app().await?;
        // The first one introduces the queue.
        let _ = app.send(builtin::noop::signature()).await?;
        let watch = Stopwatch::start();
        if self.how == "send" {
            for _ in 0..self.count {
                let _ = app.send(builtin::noop::signature()).await?;
            }
        } else {
            app.send_many((0..self.count).map(|_| builtin::noop::signature())).await?;
        }
        let rate = self.count as f64 / watch.secs();
        close(app).await?;
        Ok(rate)
    }
}
