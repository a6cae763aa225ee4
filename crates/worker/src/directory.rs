//! Answers whether a live worker knows a task that this one does not.

use std::sync::Arc;

use cardoon_broker::{Broker, Consumer, Member};
use cardoon_core::QueueName;
use cardoon_errors::Result;
use tokio::sync::mpsc;

use crate::engine::{Event, Ticket};
use crate::inbox::Inbox;

/// Questions that are answered with one look at most.
const BATCH: usize = 256;

pub(crate) struct Directory {
    pub broker: Arc<dyn Broker>,
    pub consumer: Arc<dyn Consumer>,
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
        let mut batch = Vec::new();
        while questions.recv_many(&mut batch, BATCH).await > 0 {
            // The list is read after the questions came: an older one may lack the worker that was just deployed,
            // and its task would be buried.
            let members = self.look().await;
            let strangers = self.may_have_strangers().await;
            for question in batch.drain(..) {
                // Without a list nobody can say that nobody knows it.
                let known = strangers || members.as_ref().is_none_or(|members| knows(members, &question));
                if known {
                    self.consumer.leave_to_others(&question.queue, &question.task);
                }
                self.inbox.send(Event::LookedUp { ticket: question.ticket, known });
            }
        }
        Ok(())
    }

    async fn may_have_strangers(&self) -> bool {
        self.broker.inspect().may_have_strangers().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot ask whether others take from the queues too");
            true
        })
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
