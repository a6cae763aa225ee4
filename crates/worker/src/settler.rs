//! Stores verdicts, with what belongs to them.

use std::sync::Arc;

use cardoon_broker::{Broker, Consumer, Publish, Settle, Settled};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_errors::{Error, Kind, Result};
use cardoon_results::{ResultBackend, Stored};
use cardoon_runtime::Clock;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::engine::{Answer, Event, Ticket};
use crate::inbox::Inbox;
use crate::retrying::persist;

/// Verdicts that are stored in one step at most.
const BATCH: usize = 256;

/// Batches under way: while one is committed, the next one is gathered and queued.
const IN_FLIGHT: usize = 2;

pub(crate) struct Settler {
    pub consumer: Arc<dyn Consumer>,
    pub broker: Arc<dyn Broker>,
    pub results: Arc<dyn ResultBackend>,
    /// A verdict and its record are stored in one step.
    pub joined: bool,
    pub clock: Clock,
    pub inbox: Inbox,
}

type Verdicts = Vec<(Ticket, Settle)>;

impl Settler {
    /// Stores what is queued, without waiting for more. Ends when nothing more can come and all is stored.
    pub(crate) async fn run(self, mut queue: mpsc::UnboundedReceiver<(Ticket, Settle)>) -> Result<()> {
        let mut under_way = FuturesUnordered::new();
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                count = queue.recv_many(&mut batch, BATCH), if under_way.len() < IN_FLIGHT => match count {
                    0 => break,
                    _ => under_way.push(self.store(std::mem::take(&mut batch))),
                },
                Some(()) = under_way.next() => {}
            }
        }
        while under_way.next().await.is_some() {}
        Ok(())
    }

    async fn store(&self, batch: Verdicts) {
        let (tickets, settles): (Vec<Ticket>, Vec<Settle>) = batch.into_iter().unzip();
        let answers = if self.joined { self.settle(settles).await } else { self.store_apart(settles).await };
        let answers = answers.into_iter().map(answer);
        self.inbox.send(Event::Settled(tickets.into_iter().zip(answers).collect()));
    }

    /// Settling again after an unknown answer is safe: a verdict that was applied is a lease that is gone.
    async fn settle(&self, settles: Vec<Settle>) -> Vec<Result<Settled>> {
        persist(&self.clock, settles, |_| (), |batch| self.consumer.settle(batch)).await
    }

    /// For stores that are apart: follow-ups, then results, then verdicts, so that nobody sees a result whose
    /// continuation can be lost. What fails is not settled, and so is delivered again.
    async fn store_apart(&self, mut settles: Vec<Settle>) -> Vec<Result<Settled>> {
        let mut refused: Vec<Option<Error>> = settles.iter().map(|_| None).collect();
        self.publish_follow_ups(&mut settles, &mut refused).await;
        self.store_records(&mut settles, &mut refused).await;
        let bare = settles.into_iter().zip(&refused).filter(|(_, refused)| refused.is_none());
        let mut settled = self.settle(bare.map(|(settle, _)| settle).collect()).await.into_iter();
        let lost = || Ok(Settled::LeaseLost);
        refused
            .into_iter()
            .map(|refused| match refused {
                Some(error) => Err(error),
                None => settled.next().unwrap_or_else(lost),
            })
            .collect()
    }

    async fn publish_follow_ups(&self, settles: &mut [Settle], refused: &mut [Option<Error>]) {
        let mut owners = Vec::new();
        let mut publishes: Vec<Publish> = Vec::new();
        for (place, settle) in settles.iter_mut().enumerate() {
            owners.extend(settle.follow_ups.iter().map(|_| place));
            publishes.append(&mut settle.follow_ups);
        }
        let again = |publish: &mut Publish| publish.resent = true;
        let answers = persist(&self.clock, publishes, again, |batch| self.broker.publish(batch)).await;
        for (place, answer) in owners.into_iter().zip(answers) {
            refused[place] = refused[place].take().or(answer.err());
        }
    }

    async fn store_records(&self, settles: &mut [Settle], refused: &mut [Option<Error>]) {
        let (mut owners, mut records) = (Vec::new(), Vec::new());
        for (place, settle) in settles.iter_mut().enumerate().filter(|(place, _)| refused[*place].is_none()) {
            if let Some(record) = settle.record.take() {
                owners.push(place);
                records.push(record);
            }
        }
        let answers = persist(&self.clock, records, |_| (), |batch| self.results.store(batch)).await;
        for (place, answer) in owners.into_iter().zip(answers) {
            match answer {
                Ok(Stored::Accepted) => {}
                // Nobody else may ever report the run that is current. What is delivered again asks first whether the
                // task has ended.
                Ok(Stored::Stale) => {
                    settles[place].verdict = Verdict::Release { cause: ReleaseCause::Interrupted };
                }
                Err(error) => refused[place] = Some(error),
            }
        }
    }
}

fn answer(result: Result<Settled>) -> Answer {
    match result {
        Ok(settled) => Answer::Settled(settled),
        Err(error) if error.kind() == Kind::Conflict => Answer::Settled(Settled::LeaseLost),
        Err(error) => {
            tracing::error!(%error, "a verdict cannot be stored; its task will run again");
            Answer::Refused
        }
    }
}
