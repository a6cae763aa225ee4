//! Which of several schedulers sends a tick, where the broker takes a message twice.
//!
//! A tick has a run record of its own beside that of the task which it sends. Whoever registers attempt 0 first sends the
//! tick, and registers attempt 1 when it is sent: then it is superseded for everybody else. Whoever comes second and finds
//! it neither unclaimed nor superseded cannot know whether the first one is still about to send it or has died.

use std::sync::Arc;

use cardoon_core::{RunNumber, TaskId};
use cardoon_errors::Result;
use cardoon_results::{BeginRun, Begun, ResultBackend};

/// Who sends a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    Ours,
    /// Another scheduler was first, and may not have sent it yet.
    Theirs,
    /// It was sent.
    Sent,
}

pub(super) struct Claims(Arc<dyn ResultBackend>);

impl Claims {
    pub(super) fn new(results: Arc<dyn ResultBackend>) -> Self {
        Self(results)
    }

    /// Claims ticks; answers each, in order.
    pub(super) async fn claim(&self, ids: impl Iterator<Item = &TaskId>) -> Vec<Result<Claim>> {
        let answers = self.0.begin(ids.map(|id| of(id, 0)).collect()).await;
        answers.into_iter().map(|answer| answer.map(claim)).collect()
    }

    /// Notes that ticks were sent. If that fails, another scheduler may send one again in the end.
    pub(super) async fn sent(&self, ids: impl Iterator<Item = &TaskId>) {
        let sent: Vec<_> = ids.map(|id| of(id, 1)).collect();
        if sent.is_empty() {
            return;
        }
        for answer in self.0.begin(sent).await {
            if let Err(error) = answer {
                tracing::debug!(%error, "that a tick was sent could not be noted");
            }
        }
    }
}

fn of(id: &TaskId, attempt: u32) -> BeginRun {
    let id = TaskId::new(format!("{id}.tick")).expect("the id of a tick is 36 bytes long");
    BeginRun { id, attempt }
}

fn claim(begun: Begun) -> Claim {
    match begun {
        Begun::Run(number) if number == RunNumber::FIRST.next() => Claim::Ours,
        Begun::Run(_) => Claim::Theirs,
        Begun::Ended | Begun::Superseded => Claim::Sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_core::Timestamp;
    use cardoon_results::memory::MemoryResults;
    use cardoon_runtime::{Clock, ManualClock};

    #[tokio::test]
    async fn the_first_one_sends_and_the_others_learn_that_it_did() {
        let clock = Clock::manual(&ManualClock::new(Timestamp(0)));
        let claims = Claims::new(MemoryResults::new(clock));
        let id = cardoon_scheduler::tick_id("app", "a", Timestamp(0));
        let claim = async || claims.claim(std::iter::once(&id)).await.remove(0).unwrap();
        assert_eq!(claim().await, Claim::Ours);
        assert_eq!(claim().await, Claim::Theirs);
        assert_eq!(claim().await, Claim::Theirs);
        claims.sent(std::iter::once(&id)).await;
        assert_eq!(claim().await, Claim::Sent);
    }
}
