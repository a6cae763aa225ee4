//! Answers whether a live worker knows a task that this one does not.

use std::sync::Arc;
use std::time::Duration;

use cardoon_broker::{Broker, Member};
use cardoon_core::{BootInstant, QueueName};
use cardoon_errors::Result;
use cardoon_runtime::Clock;
use tokio::sync::mpsc;

use crate::engine::{Event, Ticket};
use crate::inbox::Inbox;

/// How long the list of workers is believed.
const FRESH: Duration = Duration::from_secs(1);

pub(crate) struct Directory {
    pub broker: Arc<dyn Broker>,
    pub clock: Clock,
    pub inbox: Inbox,
}

/// Who knows the task that this queue brought?
#[derive(Debug)]
pub(crate) struct Question {
    pub ticket: Ticket,
    pub queue: QueueName,
    pub task: String,
}

impl Directory {
    pub(crate) async fn run(self, mut questions: mpsc::UnboundedReceiver<Question>) -> Result<()> {
        let mut seen: Option<(BootInstant, Vec<Member>)> = None;
        while let Some(question) = questions.recv().await {
            let now = self.clock.boot();
            if seen.as_ref().is_none_or(|(at, _)| now.since(*at) >= FRESH) {
                seen = self.look().await.map(|members| (now, members));
            }
            // Without a list nobody can say that nobody knows it.
            let known = seen.as_ref().is_none_or(|(_, members)| knows(members, &question));
            self.inbox.send(Event::LookedUp { ticket: question.ticket, known });
        }
        Ok(())
    }

    async fn look(&self) -> Option<Vec<Member>> {
        match self.broker.inspect().members().await {
            Ok(members) => Some(members),
            Err(error) => {
                tracing::warn!(%error, "cannot ask who knows a task");
                None
            }
        }
    }
}

fn knows(members: &[Member], question: &Question) -> bool {
    members
        .iter()
        .any(|member| member.queues.contains(&question.queue) && member.tasks.contains(&question.task))
}
