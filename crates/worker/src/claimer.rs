//! Takes deliveries from the broker, as many as the engine asks for.

use std::sync::Arc;

use cardoon_broker::{Consumer, Delivery};
use cardoon_errors::Result;
use cardoon_runtime::Clock;
use tokio::sync::mpsc;

use crate::engine::Event;
use crate::inbox::Inbox;
use crate::intake::Intake;
use crate::retrying::{Backoff, passes};

pub(crate) struct Claimer {
    pub consumer: Arc<dyn Consumer>,
    pub intake: Arc<Intake>,
    pub clock: Clock,
    pub inbox: Inbox,
}

impl Claimer {
    /// Answers each number that comes with a claim; ends when no more can come. A claim that is under way then is
    /// dropped: what it took, the closing of the consumer hands back.
    pub(crate) async fn run(self, mut credits: mpsc::UnboundedReceiver<usize>) -> Result<()> {
        while let Some(max) = credits.recv().await {
            let claimed = tokio::select! {
                claimed = self.claim(max) => claimed,
                _ = credits.recv() => return Ok(()),
            };
            match claimed {
                Ok(deliveries) => self.hand_over(deliveries),
                Err(error) => {
                    self.inbox.fail(error);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn claim(&self, max: usize) -> Result<Vec<Delivery>> {
        let mut backoff = Backoff::default();
        loop {
            match self.consumer.claim(max).await {
                Err(error) if passes(&error) => {
                    tracing::warn!(%error, "cannot take deliveries, trying again");
                    backoff.pause(&self.clock).await;
                }
                answer => return answer,
            }
        }
    }

    fn hand_over(&self, deliveries: Vec<Delivery>) {
        let arrivals = deliveries.into_iter().map(|delivery| self.intake.read(delivery)).collect();
        self.inbox.send(Event::Claimed(arrivals));
    }
}
