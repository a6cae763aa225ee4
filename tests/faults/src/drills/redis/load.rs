use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, Publish};
use cardoon_core::{BootInstant, QueueName, TaskId};
use cardoon_errors::Error;
use cardoon_runtime::Clock;

use crate::lab::message;
use crate::tasks;

const PAUSE: Duration = Duration::from_millis(50);
const SHORT: Duration = Duration::from_millis(10);

/// Sends a task every 50 ms, whatever happens, and keeps account of it.
pub(super) struct Load {
    broker: Arc<dyn Broker>,
    clock: Clock,
    /// When each task was acknowledged.
    pub(super) acknowledged: Vec<(TaskId, BootInstant)>,
    pub(super) refused: Vec<Error>,
}

impl Load {
    pub(super) fn new(broker: Arc<dyn Broker>, clock: Clock) -> Self {
        Self { broker, clock, acknowledged: Vec::new(), refused: Vec::new() }
    }

    /// Sends until `end` is there.
    pub(super) async fn until<T>(&mut self, end: impl Future<Output = T>) -> anyhow::Result<T> {
        tokio::pin!(end);
        loop {
            self.send_one().await?;
            tokio::select! {
                ended = &mut end => return Ok(ended),
                () = self.clock.sleep(PAUSE) => {}
            }
        }
    }

    async fn send_one(&mut self) -> anyhow::Result<()> {
        let message = message(tasks::WORK, SHORT)?;
        let id = message.id.clone();
        let publish = Publish { queue: QueueName::default(), message, not_before: None, resent: false };
        match self.broker.publish(vec![publish]).await.remove(0) {
            Ok(_) => self.acknowledged.push((id, self.clock.boot())),
            Err(error) => self.refused.push(error),
        }
        Ok(())
    }
}
