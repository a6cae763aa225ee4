//! The tasks of one run: sending them, and waiting until they are over.

use std::time::Duration;

use cardoon::{App, TypedSignature};
use cardoon_core::TaskId;
use cardoon_errors::Result;
use cardoon_runtime::ids;
use serde_json::{Value, json};

use super::evidence::Evidence;
use super::fleet::Fleet;
use super::node::{EARLY, WAIT};
use super::{OwnTask, Site, Work, tidy};

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// So long nothing must have ended before an empty queue is taken at its word.
const QUIET: Duration = Duration::from_secs(1);

/// A task that is sent many times.
#[derive(Debug, Clone)]
pub(super) enum Job {
    Wait { millis: u64, early: bool },
    Own(OwnTask),
}

impl Job {
    pub(super) fn of(work: &Work, millis: u64, early: bool) -> Self {
        match work {
            Work::BuiltIn => Self::Wait { millis, early },
            Work::Own(task) => Self::Own(task.clone()),
        }
    }

    /// Sends it `count` times. All are stored when this returns.
    pub(super) async fn send(&self, site: &Site, count: u32) -> Result<Vec<TaskId>> {
        let ids: Vec<_> = (0..count).map(|_| ids::task_id()).collect();
        site.will_send(&ids);
        let signatures = ids.iter().map(|id| self.signature(id).queue(site.queue.as_str()));
        send(site.app(), signatures.collect()).await?;
        Ok(ids)
    }

    fn signature(&self, id: &TaskId) -> TypedSignature<Value> {
        let signature = match self {
            Self::Wait { millis, early } => {
                let name = if *early { EARLY } else { WAIT };
                TypedSignature::named(name).args(json!([millis])).ignore_result(true)
            }
            // The ends are counted by their results.
            Self::Own(OwnTask { name, args, kwargs, .. }) => {
                TypedSignature::named(name).args(args).kwargs(kwargs).ignore_result(false)
            }
        };
        signature.id(id.to_string())
    }
}

async fn send(app: &App, signatures: Vec<TypedSignature<Value>>) -> Result<()> {
    app.send_many(signatures).await.map(drop)
}

/// Waits until all tasks have ended, or what has not ended is not going to.
pub(super) async fn until_over(fleet: &mut Fleet<'_>, evidence: &Evidence<'_>, ids: &[TaskId]) -> Result<()> {
    let site = evidence.site();
    let mut ended = 0;
    let mut last_change = site.clock.boot();
    loop {
        let now = evidence.ended(ids).await?;
        if now >= ids.len() {
            return Ok(());
        }
        if now > ended {
            (ended, last_change) = (now, site.clock.boot());
        }
        let quiet = site.clock.boot().since(last_change);
        if quiet > evidence.silence() || (quiet > QUIET && tidy::is_empty(site.stores(), &site.queue).await?)
        {
            return Ok(());
        }
        fleet.check()?;
        site.clock.sleep(LOOK).await;
    }
}
