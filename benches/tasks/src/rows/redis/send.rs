//! Sending: one at a time, and many at once, beside other task queues.

use anyhow::Result;
use cardoon::builtin;

use super::peers::told;
use crate::median::median;
use crate::page::{Row, rate, times};
use crate::sides::apalis::Apalis;
use crate::sides::bullmq::BullMq;
use crate::sides::celery::Celery;
use crate::sides::peer::{self, Peer};
use crate::stopwatch::Stopwatch;
use crate::stores::redis::{Stage, close};

const ONE_AT_A_TIME: usize = 20_000;
const MANY: usize = 100_000;
/// What a peer takes long for is measured with fewer.
const FEW: usize = 5_000;

pub(crate) async fn measure(stage: &Stage, runs: usize) -> Result<Vec<Row>> {
    let singles: Vec<Box<dyn Peer>> =
        vec![Box::new(Apalis::DEFAULTS), Box::new(BullMq), Box::new(Celery::defaults())];
    let (single, beside) =
        Sends { how: "send", count: ONE_AT_A_TIME, peers: singles }.measure(stage, runs).await?;
    let best = beside.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let mut rows = vec![Row {
        measure: "`send`, one at a time from one sender".into(),
        cardoon: format!("{}; {} the best", rate(single), times(single / best)),
        beside: told(&beside),
        goal: ">= the best".into(),
        is_met: Some(single >= best),
    }];
    let bulks: Vec<Box<dyn Peer>> = vec![Box::new(Apalis::DEFAULTS), Box::new(BullMq)];
    let (many, beside) = Sends { how: "send-many", count: MANY, peers: bulks }.measure(stage, runs).await?;
    let best = beside.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    rows.push(Row {
        measure: "`send_many`, 100,000 in one call (others: 1000 a call)".into(),
        cardoon: format!("{}; {} the best", rate(many), times(many / best)),
        beside: told(&beside),
        goal: ">= 1.2 times the best".into(),
        is_met: Some(many >= 1.2 * best),
    });
    Ok(rows)
}

/// One way to send.
struct Sends {
    how: &'static str,
    count: usize,
    peers: Vec<Box<dyn Peer>>,
}

impl Sends {
    async fn measure(&self, stage: &Stage, runs: usize) -> Result<(f64, Vec<(String, f64)>)> {
        let mut cardoon = Vec::new();
        let mut rates: Vec<Vec<f64>> = self.peers.iter().map(|_| Vec::new()).collect();
        for _ in 0..runs {
            cardoon.push(self.ours(stage).await?);
            for (peer, rates) in self.peers.iter().zip(&mut rates) {
                stage.clear().await?;
                rates.push(peer::send(peer.as_ref(), &stage.url(), self.how, self.of_peer(peer.as_ref()))?);
            }
        }
        let names = self.peers.iter().map(|peer| peer.name());
        Ok((median(cardoon), names.zip(rates.into_iter().map(median)).collect()))
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
