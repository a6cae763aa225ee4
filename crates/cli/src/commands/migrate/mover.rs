use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, ConsumeSpec, Consumer, Delivery, Publish, Settle};
use cardoon_core::lease::LeaseTerms;
use cardoon_core::rescue::POISON_DEATHS;
use cardoon_core::settle::Verdict;
use cardoon_core::{BootInstant, QueueName, Timestamp};
use cardoon_errors::{Code, Error, Kind, Result};
use cardoon_results::ResultBackend;
use cardoon_runtime::{Clock, ServiceKind, Supervisor, ids};
use tokio_util::sync::CancellationToken;

use crate::stores::Stores;

/// Messages that are moved in one step.
const BATCH: usize = 256;

/// How long a claim waits for something to come.
const PAUSE: Duration = Duration::from_millis(100);
const SWEEP_EVERY: Duration = Duration::from_millis(500);

/// What dead workers hold is waited for: they are found within 3 s.
const FOUND_WITHIN: Duration = Duration::from_secs(4);

/// Takes from one broker what another one is given.
pub(super) struct Mover {
    source: Arc<dyn Broker>,
    target: Arc<dyn Broker>,
    /// What the target knows of the ends of tasks.
    ends: Arc<dyn ResultBackend>,
    queues: Vec<QueueName>,
    consumer: Arc<dyn Consumer>,
    clock: Clock,
    services: Supervisor,
    counts: HashMap<QueueName, Count>,
    /// What the target does not take, or only a worker can end. Goes back at the end, so that it is not taken anew.
    kept: Vec<Taken>,
}

/// What was done with the messages of a queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Count {
    pub(super) ready: u64,
    pub(super) delayed: u64,
    pub(super) refused: u64,
    /// Why the last refused one was.
    pub(super) refusal: Option<String>,
}

/// A claimed message, and until when it is delayed.
type Taken = (Delivery, Option<Timestamp>);

impl Mover {
    /// Joins the consumers of the source, and makes sure that they are not the target's too.
    pub(super) async fn join(
        source: &Arc<dyn Broker>,
        target: &Stores,
        queues: Vec<QueueName>,
        clock: &Clock,
    ) -> Result<Self> {
        let worker = format!("migrate-{}", ids::unique());
        let spec = ConsumeSpec {
            worker: worker.clone(),
            queues: queues.clone(),
            // Nobody may count on it to execute anything.
            tasks: Vec::new(),
            slots: 0,
            terms: LeaseTerms::default(),
        };
        let consumer = source.consume(spec).await?;
        if target.broker.inspect().members().await?.iter().any(|member| member.worker == worker) {
            consumer.close().await?;
            return Err(super::same_store("the source", "the target"));
        }
        let services = Supervisor::new();
        let heart = Arc::clone(&consumer);
        let beating = clock.clone();
        let beat = move |stop| beat(&*heart, &beating, &stop);
        services
            .spawn_thread(ServiceKind::Heartbeat, beat)
            .map_err(|error| Error::new(Code::Internal, "cannot start threads").source(error))?;
        Ok(Self {
            source: Arc::clone(source),
            target: Arc::clone(&target.broker),
            ends: Arc::clone(&target.results),
            queues,
            consumer,
            clock: clock.clone(),
            services,
            counts: HashMap::new(),
            kept: Vec::new(),
        })
    }

    /// Moves until nothing waits in the source any more. `tell`: how many were moved just now.
    pub(super) async fn run(&mut self, tell: impl Fn(u64)) -> Result<()> {
        let mut sweep_at = self.clock.boot();
        let mut idle_since = None;
        loop {
            if self.clock.boot() >= sweep_at {
                self.consumer.sweep().await?;
                sweep_at = self.clock.boot().plus(SWEEP_EVERY);
            }
            let moved = self.move_delayed().await? + self.move_ready().await?;
            tell(moved);
            if moved > 0 {
                idle_since = None;
            } else if self.is_done(*idle_since.get_or_insert(self.clock.boot())).await? {
                return Ok(());
            }
        }
    }

    /// Whether nothing waits, and nothing that the dead hold is still to be found.
    async fn is_done(&self, idle_since: BootInstant) -> Result<bool> {
        let stats = self.source.inspect().queues().await?;
        let of = stats.iter().filter(|stats| self.queues.contains(&stats.queue));
        let (waiting, held) =
            of.fold((0, 0), |(waiting, held), it| (waiting + it.ready + it.delayed, held + it.held));
        let patience_is_over = self.clock.boot().since(idle_since) >= FOUND_WITHIN;
        Ok(waiting == 0 && (held <= self.kept.len() as u64 || patience_is_over))
    }

    async fn move_delayed(&mut self) -> Result<u64> {
        let taken = self.consumer.claim_delayed(BATCH).await?;
        self.forward(taken.into_iter().map(|(delivery, due)| (delivery, Some(due))).collect()).await
    }

    async fn move_ready(&mut self) -> Result<u64> {
        let taken = tokio::select! {
            taken = self.consumer.claim(BATCH) => taken?,
            () = self.clock.sleep(PAUSE) => Vec::new(),
        };
        self.forward(taken.into_iter().map(|delivery| (delivery, None)).collect()).await
    }

    /// Publishes in the target, then acknowledges in the source.
    async fn forward(&mut self, taken: Vec<Taken>) -> Result<u64> {
        let (batch, unfit): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|(delivery, _)| may_move(delivery));
        for (delivery, due) in unfit {
            self.keep((delivery, due), "a worker of the source has to record its end");
        }
        self.revoke(&batch).await?;
        self.reopen(&batch).await?;
        let answers = self.target.publish(batch.iter().map(publish).collect()).await;
        let (mut acks, mut failure) = (Vec::new(), None);
        for (taken, answer) in batch.into_iter().zip(answers) {
            match answer {
                Ok(_) => acks.push(taken),
                Err(error) if error.kind() == Kind::Invalid => self.keep(taken, error.message()),
                Err(error) => {
                    self.kept.push(taken);
                    failure = Some(error);
                }
            }
        }
        let moved = self.acknowledge(acks).await?;
        failure.map_or(Ok(moved), Err)
    }

    /// Those that are revoked must not run in the target either.
    async fn revoke(&self, batch: &[Taken]) -> Result<()> {
        let revoked = batch.iter().filter(|(delivery, _)| delivery.revoked);
        let ids: Vec<_> = revoked.map(|(delivery, _)| delivery.message.id.clone()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        self.target.revoke(ids).await.into_iter().try_for_each(|answer| answer.map(drop))
    }

    /// What was sent again after its end must not meet that end in the target, which may remember it from before. If an
    /// earlier try has moved it already and it has ended since, this costs a second run.
    async fn reopen(&self, batch: &[Taken]) -> Result<()> {
        let resent = batch.iter().filter(|(delivery, _)| delivery.resent);
        let ids: Vec<_> = resent.map(|(delivery, _)| delivery.message.id.clone()).collect();
        if ids.is_empty() { Ok(()) } else { self.ends.reopen(&ids).await.map(drop) }
    }

    async fn acknowledge(&mut self, taken: Vec<Taken>) -> Result<u64> {
        let acks = taken.iter().map(|(delivery, _)| Settle::bare(delivery.lease, Verdict::Ack)).collect();
        let answers = self.consumer.settle(acks).await;
        let moved = taken.len() as u64;
        for ((delivery, due), answer) in taken.into_iter().zip(answers) {
            // If the lease was lost, the message is in the source again too, and is moved once more.
            answer?;
            let count = self.counts.entry(delivery.queue).or_default();
            *(if due.is_some() { &mut count.delayed } else { &mut count.ready }) += 1;
        }
        Ok(moved)
    }

    fn keep(&mut self, taken: Taken, reason: &str) {
        let count = self.counts.entry(taken.0.queue.clone()).or_default();
        count.refused += 1;
        count.refusal = Some(reason.to_owned());
        self.kept.push(taken);
    }

    /// Hands back what was not moved, each to where it came from, and leaves.
    pub(super) async fn leave(&mut self) -> Result<()> {
        let later =
            |(delivery, due): Taken| Some(Settle::bare(delivery.lease, Verdict::Defer { until: due? }));
        let delayed: Vec<Settle> = std::mem::take(&mut self.kept).into_iter().filter_map(later).collect();
        let deferred = self.consumer.settle(delayed).await.into_iter().try_for_each(|it| it.map(drop));
        let left = self.consumer.close().await;
        self.services.stop();
        deferred.and(left)
    }

    pub(super) fn into_counts(mut self) -> HashMap<QueueName, Count> {
        std::mem::take(&mut self.counts)
    }
}

impl Drop for Mover {
    fn drop(&mut self) {
        self.services.stop();
    }
}

/// Whether the task may be executed; if not, its end belongs into the source's results.
fn may_move(delivery: &Delivery) -> bool {
    !delivery.outcome_unknown && delivery.deaths < POISON_DEATHS
}

/// An earlier try may have stored it, and it may have run before, so its run has to register.
fn publish((delivery, due): &Taken) -> Publish {
    let (queue, message) = (delivery.queue.clone(), delivery.message.clone());
    Publish { queue, message, not_before: *due, resent: true }
}

/// Renews the leases until `stop` fires.
fn beat(consumer: &dyn Consumer, clock: &Clock, stop: &CancellationToken) -> Result<()> {
    let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let timer = timer.map_err(|error| Error::new(Code::Internal, "cannot start a timer").source(error))?;
    while !stop.is_cancelled() {
        if let Err(error) = consumer.heartbeat() {
            tracing::warn!(%error, "heartbeat failed, trying again");
        }
        timer.block_on(async {
            let pause = clock.sleep(LeaseTerms::default().heartbeat / 3);
            tokio::select! { () = stop.cancelled() => {}, () = pause => {} }
        });
    }
    Ok(())
}
