use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cardoon::{App, Stores};
use cardoon_core::{QueueName, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, Random};

use super::claim::Claim;
use super::folder::Folder;
use super::node::Spec;
use super::{Measure, Nodes, Plan, Progress, Report, Urls, Work};
use super::{consistency, drill, efficiency, tidy};
use crate::WorkerProcess;

/// So many verifications can be under way on one store. Their queues have fixed names, so that a store which remembers the
/// names of queues does not remember more and more of them.
const NAMES: u64 = 16;

/// A verification's place in a store: a queue and entries that are its own, and a folder. It stays its own within
/// [`Self::while_present`]; leave it with [`Self::leave`].
pub struct Site {
    pub(super) clock: Clock,
    pub(super) urls: Urls,
    pub(super) nodes: Nodes,
    pub(super) queue: QueueName,
    app: App,
    claim: Claim,
    folder: Folder,
    traces: Mutex<Traces>,
}

/// What has to be removed.
#[derive(Debug, Default)]
struct Traces {
    ids: Vec<TaskId>,
    entries: Vec<String>,
    numbers: u64,
}

/// Measures on the store of `site` and adds to `report`, which holds what was measured before if this fails. What is not as
/// it should be is no error here: ask [`Report::passed`].
///
/// Errors: `CD5002` if a process of the verification cannot do its part, and what the store answers.
pub async fn verify(
    site: &Site,
    plan: &Plan,
    work: &Work,
    measures: &[Measure],
    progress: &(dyn Fn(Progress) + Sync),
    report: &mut Report,
) -> Result<()> {
    for measure in measures {
        progress(Progress::Begins(*measure));
        match measure {
            Measure::Efficiency => {
                report.efficiency = Some(Box::pin(efficiency::measure(site, plan, work, progress)).await?);
            }
            Measure::Faults => {
                report.faults = Some(Box::pin(drill::measure(site, plan, work, progress)).await?);
            }
            Measure::Consistency => {
                report.consistency = Some(Box::pin(consistency::measure(site, plan, progress)).await?);
            }
        }
    }
    Ok(())
}

impl Site {
    /// Takes a place in the stores of `app`, which are at `urls`, and removes what earlier verifications have left that
    /// were killed.
    pub async fn open(app: App, urls: Urls, nodes: Nodes) -> Result<Self> {
        let clock = Clock::real();
        remove_leftovers(app.stores(), &clock).await?;
        let folder = Folder::create(&std::env::temp_dir()).map_err(|error| {
            Error::new(Code::DrillFailed, "cannot create the verification's folder").source(error)
        })?;
        let claim = take_name(app.stores()).await?;
        let queue = claim.queue.clone();
        Ok(Self { clock, urls, nodes, queue, app, claim, folder, traces: Mutex::default() })
    }

    /// Does `work` while other verifications are told that this one is there. Fails when they cannot be told any more.
    pub async fn while_present<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            done = work => done,
            lost = self.claim.keep(&self.clock) => Err(lost),
        }
    }

    /// Removes everything that was put into the stores. Workers have to be gone, which they are with the future of
    /// [`verify`]. Does nothing if somebody else has the place by now.
    pub async fn leave(&self) -> Result<()> {
        if !self.is_ours().await? {
            return Ok(());
        }
        let (ids, entries) = self.traced(|traces| (traces.ids.clone(), traces.entries.clone()));
        tidy::empty(self.stores(), &self.queue, &self.clock).await?;
        tidy::forget(self.stores(), &ids).await?;
        for entry in &entries {
            self.stores().coord.delete(entry).await?;
        }
        self.claim.release().await
    }

    /// Whether nobody else has the place by now.
    pub(super) async fn is_ours(&self) -> Result<bool> {
        self.claim.renew().await
    }

    /// Where the stores are, for people; holds no password.
    pub fn location(&self) -> &str {
        &self.stores().location
    }

    /// The queue that is this verification's own.
    pub fn queue(&self) -> &QueueName {
        &self.queue
    }

    pub(super) fn app(&self) -> &App {
        &self.app
    }

    pub(super) fn stores(&self) -> &Stores {
        self.app.stores()
    }

    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The path of a file that is not there yet.
    pub(super) fn new_file(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}-{}", self.number()))
    }

    /// A number that nothing else of this verification has.
    pub(super) fn number(&self) -> u64 {
        self.traced(|traces| {
            traces.numbers += 1;
            traces.numbers
        })
    }

    /// Notes tasks before they are sent.
    pub(super) fn will_send(&self, ids: &[TaskId]) {
        self.traced(|traces| traces.ids.extend_from_slice(ids));
    }

    /// Notes an entry before it is written.
    pub(super) fn will_write(&self, entry: &str) {
        self.traced(|traces| traces.entries.push(entry.to_owned()));
    }

    /// Starts a process that does what `spec` says.
    pub(super) fn start(&self, name: &str, spec: &Spec) -> Result<WorkerProcess> {
        let command = self.nodes.node.ordered(&self.urls, spec)?;
        WorkerProcess::spawn(name, command, self.folder(), self.clock.clone())
    }

    /// Takes all names that nobody has, so that what is left there can be removed.
    pub(super) async fn take_unused(&self) -> Result<Vec<Claim>> {
        let mut claims = Vec::new();
        for number in 0..NAMES {
            claims.extend(take(self.stores(), name(number)?).await?);
        }
        Ok(claims)
    }

    fn traced<T>(&self, look: impl FnOnce(&mut Traces) -> T) -> T {
        look(&mut self.traces.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes a name that nobody has.
async fn take_name(stores: &Stores) -> Result<Claim> {
    let first = Random::from_system().below(NAMES);
    for number in 0..NAMES {
        if let Some(claim) = take(stores, name((first + number) % NAMES)?).await? {
            return Ok(claim);
        }
    }
    Err(Error::new(Code::DrillFailed, format!("{NAMES} verifications are under way on this store already"))
        .hint("wait until one of them has ended"))
}

/// Takes a name unless somebody has it: a verification, or a worker that one has left behind.
async fn take(stores: &Stores, name: QueueName) -> Result<Option<Claim>> {
    let members = stores.broker.inspect().members().await?;
    if members.iter().any(|member| member.queues.contains(&name)) {
        return Ok(None);
    }
    Claim::take(Arc::clone(&stores.coord), name).await
}

async fn remove_leftovers(stores: &Stores, clock: &Clock) -> Result<()> {
    let names = (0..NAMES).map(name).collect::<Result<Vec<_>>>()?;
    let queues = stores.broker.inspect().queues().await?;
    for queue in queues.into_iter().map(|stats| stats.queue).filter(|queue| names.contains(queue)) {
        let Some(claim) = take(stores, queue.clone()).await? else { continue };
        tracing::debug!(%queue, "an earlier verification has left something behind");
        tidy::empty(stores, &queue, clock).await?;
        tidy::forget_queue(stores, &queue).await?;
        claim.release().await?;
    }
    Ok(())
}

fn name(number: u64) -> Result<QueueName> {
    QueueName::new(format!("cardoon-verify-{number:x}"))
        .map_err(|error| Error::new(Code::Internal, "the verification's queue has no name").source(error))
}
