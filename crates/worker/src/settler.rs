//! Stores verdicts, with what belongs to them.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, Consumer, Settle, Settled};
use cardoon_core::settle::{ReleaseCause, Verdict};
use cardoon_errors::{Error, Kind, Result};
use cardoon_results::{ResultBackend, Stored};
use cardoon_runtime::Clock;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::engine::{Answer, Event, Ticket};
use crate::inbox::Inbox;
use crate::retrying::{Backoff, passes};

/// Verdicts that are stored in one step at most.
const BATCH: usize = 256;

/// Batches under way: while one is committed, the next one is gathered and queued.
const IN_FLIGHT: usize = 2;

/// An error that nobody has foreseen counts as a refusal when it comes so often.
const MOST_BROKEN: u32 = 4;

pub(crate) struct Settler {
    pub consumer: Arc<dyn Consumer>,
    pub broker: Arc<dyn Broker>,
    pub results: Arc<dyn ResultBackend>,
    /// A verdict and its record are stored in one step.
    pub joined: bool,
    pub clock: Clock,
    pub inbox: Inbox,
}

/// A verdict on its way, less what of it is stored already.
struct Open {
    ticket: Ticket,
    settle: Settle,
    /// What the store said last.
    error: Option<Error>,
    /// How often it said something that is neither a reason to wait nor one to give up.
    broken: u32,
}

impl Settler {
    /// Stores what is queued, without waiting for more. Ends when nothing more can come and all is stored.
    ///
    /// What the store does not take now is told again after a pause, and holds up nothing else: a result that does
    /// not fit on a full disk must not keep those waiting that do.
    pub(crate) async fn run(self, mut queue: mpsc::UnboundedReceiver<(Ticket, Settle)>) -> Result<()> {
        let (mut under_way, mut again) = (FuturesUnordered::new(), FuturesUnordered::new());
        let (mut batch, mut left, mut backoff) = (Vec::new(), Vec::new(), Backoff::default());
        let mut ended = false;
        loop {
            if again.is_empty() && !left.is_empty() {
                again.push(self.store_again(std::mem::take(&mut left), backoff.next()));
            }
            tokio::select! {
                count = queue.recv_many(&mut batch, BATCH), if !ended && under_way.len() < IN_FLIGHT => {
                    ended = count == 0;
                    let opened: Vec<Open> = batch.drain(..).map(Open::new).collect();
                    if !opened.is_empty() {
                        under_way.push(self.store(opened));
                    }
                }
                Some(open) = under_way.next() => left.extend(open),
                Some(open) = again.next() => {
                    if open.is_empty() {
                        backoff = Backoff::default();
                    }
                    left.extend(open);
                }
                else => return Ok(()),
            }
        }
    }

    async fn store_again(&self, open: Vec<Open>, pause: Duration) -> Vec<Open> {
        if let Some(error) = open.iter().find_map(|open| open.error.as_ref()) {
            tracing::warn!(%error, waiting = open.len(), "verdicts are not stored, trying again");
        }
        self.clock.sleep(pause).await;
        self.store(open).await
    }

    /// Stores each verdict and tells the engine. Returns those that the store did not take now; telling them again
    /// after an unknown answer is safe, since a verdict that was applied is a lease that is gone.
    async fn store(&self, mut batch: Vec<Open>) -> Vec<Open> {
        for open in &mut batch {
            open.error = None;
        }
        if !self.joined {
            self.store_apart(&mut batch).await;
        }
        let mut settled = self.settle(&batch).await.into_iter();
        let (mut answers, mut again) = (Vec::with_capacity(batch.len()), Vec::new());
        for mut open in batch {
            let settled = match &open.error {
                Some(error) => Err(error.clone()),
                None => settled.next().unwrap_or(Ok(Settled::LeaseLost)),
            };
            match open.judge(settled) {
                Some(answer) => answers.push((open.ticket, answer)),
                None => again.push(open),
            }
        }
        if !answers.is_empty() {
            self.inbox.send(Event::Settled(answers));
        }
        again
    }

    async fn settle(&self, batch: &[Open]) -> Vec<Result<Settled>> {
        let ready = batch.iter().filter(|open| open.error.is_none());
        let settles: Vec<Settle> = ready.map(|open| open.settle.clone()).collect();
        if settles.is_empty() { Vec::new() } else { self.consumer.settle(settles).await }
    }

    /// For stores that are apart: follow-ups, then results, then verdicts, so that nobody sees a result whose
    /// continuation can be lost. What fails is not settled.
    async fn store_apart(&self, batch: &mut [Open]) {
        self.drop_stale(batch).await;
        self.publish_follow_ups(batch).await;
        self.store_records(batch).await;
    }

    /// A stale run's retry would run beside the current run, and fence it.
    async fn drop_stale(&self, batch: &mut [Open]) {
        let asking = |open: &&mut Open| !open.settle.follow_ups.is_empty() && open.settle.record.is_some();
        let mut asking: Vec<&mut Open> = batch.iter_mut().filter(asking).collect();
        let run =
            |open: &&mut Open| open.settle.record.as_ref().map(|record| (record.id.clone(), record.run));
        let runs: Vec<_> = asking.iter().filter_map(run).collect();
        if runs.is_empty() {
            return;
        }
        match self.results.is_current(&runs).await {
            Ok(current) => {
                asking
                    .into_iter()
                    .zip(current)
                    .filter(|(_, current)| !current)
                    .for_each(|(open, _)| open.give_way());
            }
            Err(error) => asking.iter_mut().for_each(|open| open.error = Some(error.clone())),
        }
    }

    async fn publish_follow_ups(&self, batch: &mut [Open]) {
        let (mut owners, mut publishes) = (Vec::new(), Vec::new());
        for (place, open) in batch.iter().enumerate().filter(|(_, open)| open.error.is_none()) {
            owners.extend(open.settle.follow_ups.iter().map(|_| place));
            publishes.extend(open.settle.follow_ups.iter().cloned());
        }
        if publishes.is_empty() {
            return;
        }
        for (place, answer) in owners.into_iter().zip(self.broker.publish(publishes).await) {
            batch[place].error = batch[place].error.take().or(answer.err());
        }
        for open in batch {
            match open.error {
                None => open.settle.follow_ups.clear(),
                Some(_) => open.settle.follow_ups.iter_mut().for_each(|publish| publish.resent = true),
            }
        }
    }

    async fn store_records(&self, batch: &mut [Open]) {
        let storing = |open: &&mut Open| open.error.is_none() && open.settle.record.is_some();
        let storing: Vec<&mut Open> = batch.iter_mut().filter(storing).collect();
        let records: Vec<_> = storing.iter().filter_map(|open| open.settle.record.clone()).collect();
        if records.is_empty() {
            return;
        }
        for (open, answer) in storing.into_iter().zip(self.results.store(records).await) {
            match answer {
                Ok(Stored::Accepted) => open.settle.record = None,
                Ok(Stored::Stale) => open.give_way(),
                Err(error) => open.error = Some(error),
            }
        }
    }
}

impl Open {
    fn new((ticket, settle): (Ticket, Settle)) -> Self {
        Self { ticket, settle, error: None, broken: 0 }
    }

    /// Its run is stale. Nobody else may ever report the run that is current; what is delivered again asks first
    /// whether the task has ended.
    fn give_way(&mut self) {
        let verdict = match self.settle.closing() {
            Some(closing) => Verdict::GiveWay { until: closing.gives_way_until },
            None => Verdict::Release { cause: ReleaseCause::Interrupted },
        };
        self.settle = Settle::bare(self.settle.lease, verdict);
    }

    /// What the engine is told; `None` if the verdict is to be stored again.
    fn judge(&mut self, settled: Result<Settled>) -> Option<Answer> {
        self.error = None;
        let error = match settled {
            Ok(settled) => return Some(Answer::Settled(settled)),
            Err(error) if error.kind() == Kind::Conflict => {
                return Some(Answer::Settled(Settled::LeaseLost));
            }
            Err(error) => error,
        };
        self.broken += u32::from(error.kind() == Kind::Internal);
        if passes(&error) || (error.kind() == Kind::Internal && self.broken < MOST_BROKEN) {
            self.error = Some(error);
            return None;
        }
        tracing::error!(%error, "the store refuses a verdict");
        Some(Answer::Refused(error))
    }
}
