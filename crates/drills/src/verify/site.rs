use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use cardoon::{App, Stores};
use cardoon_core::{QueueName, TaskId};
use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{Clock, Random, hostname};
use tempfile::TempDir;

use super::{Measure, Nodes, Plan, Progress, Report, Urls, Work};
use super::{consistency, drill, efficiency, tidy};

/// So many verifications can be under way on one store. Their queues have fixed names, so that a store which remembers the
/// names of queues does not remember more and more of them.
const NAMES: u64 = 16;
/// A verification that has not said for so long that it is there, is not.
const PRESENT: Duration = Duration::from_mins(1);
const SAY: Duration = Duration::from_secs(15);

/// A verification's place in a store: a queue and entries that are its own, and a folder. Leave it with [`Self::leave`].
pub struct Site {
    pub(super) clock: Clock,
    pub(super) urls: Urls,
    pub(super) nodes: Nodes,
    pub(super) queue: QueueName,
    app: App,
    folder: TempDir,
    traces: Mutex<Traces>,
}

/// What has to be removed.
#[derive(Debug, Default)]
struct Traces {
    ids: Vec<TaskId>,
    entries: Vec<String>,
    numbers: u64,
}

/// Measures on the store of `site`. What is not as it should be is no error here: ask [`Report::passed`].
///
/// Errors: `CD5002` if a process of the verification cannot do its part, and what the store answers.
pub async fn verify(
    site: &Site,
    plan: &Plan,
    work: &Work,
    measures: &[Measure],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report> {
    tokio::select! {
        report = Box::pin(measure(site, plan, work, measures, progress)) => report,
        never = site.stay_present() => match never {},
    }
}

async fn measure(
    site: &Site,
    plan: &Plan,
    work: &Work,
    measures: &[Measure],
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Report> {
    let mut report = Report::new(site.stores().location.clone(), plan, work);
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
    Ok(report)
}

impl Site {
    /// Takes a place in the stores of `app`, which are at `urls`, and removes what earlier verifications have left that
    /// were killed.
    pub async fn open(app: App, urls: Urls, nodes: Nodes) -> Result<Self> {
        let clock = Clock::real();
        remove_leftovers(app.stores(), &clock).await?;
        let folder = tempfile::Builder::new().prefix("cardoon-verify-").tempdir().map_err(|error| {
            Error::new(Code::DrillFailed, "cannot create the verification's folder").source(error)
        })?;
        let queue = take_name(app.stores()).await?;
        Ok(Self { clock, urls, nodes, queue, app, folder, traces: Mutex::default() })
    }

    /// Removes everything that was put into the stores. Workers have to be gone, which they are with the future of
    /// [`verify`].
    pub async fn leave(&self) -> Result<()> {
        let (ids, entries) = self.traced(|traces| (traces.ids.clone(), traces.entries.clone()));
        tidy::empty(self.stores(), &self.queue, &self.clock).await?;
        tidy::forget(self.stores(), &ids).await?;
        for entry in entries.iter().map(String::as_str).chain([self.queue.as_str()]) {
            self.stores().coord.delete(entry).await?;
        }
        Ok(())
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

    fn traced<T>(&self, look: impl FnOnce(&mut Traces) -> T) -> T {
        look(&mut self.traces.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn stay_present(&self) -> Infallible {
        loop {
            self.clock.sleep(SAY).await;
            let said = self.stores().coord.put(self.queue.as_str(), whoami(), Some(PRESENT)).await;
            if let Err(error) = said {
                tracing::debug!(%error, "cannot say that this verification is there");
            }
        }
    }
}

/// Takes a name that nobody has.
async fn take_name(stores: &Stores) -> Result<QueueName> {
    let first = Random::from_system().below(NAMES);
    for number in 0..NAMES {
        let name = name((first + number) % NAMES)?;
        if stores.coord.compare_and_set(name.as_str(), None, whoami(), Some(PRESENT)).await?.is_some() {
            return Ok(name);
        }
    }
    Err(Error::new(Code::DrillFailed, format!("{NAMES} verifications are under way on this store already"))
        .hint("wait until one of them has ended"))
}

async fn remove_leftovers(stores: &Stores, clock: &Clock) -> Result<()> {
    let names = (0..NAMES).map(name).collect::<Result<Vec<_>>>()?;
    let queues = stores.broker.inspect().queues().await?;
    for queue in queues.into_iter().map(|stats| stats.queue).filter(|queue| names.contains(queue)) {
        let key = queue.as_str();
        if stores.coord.compare_and_set(key, None, whoami(), Some(PRESENT)).await?.is_none() {
            continue;
        }
        tracing::debug!(%queue, "an earlier verification has left something behind");
        tidy::empty(stores, &queue, clock).await?;
        tidy::forget_queue(stores, &queue).await?;
        stores.coord.delete(key).await?;
    }
    Ok(())
}

fn name(number: u64) -> Result<QueueName> {
    QueueName::new(format!("cardoon-verify-{number:x}"))
        .map_err(|error| Error::new(Code::Internal, "the verification's queue has no name").source(error))
}

fn whoami() -> Bytes {
    format!("{} {}", std::process::id(), hostname()).into()
}
