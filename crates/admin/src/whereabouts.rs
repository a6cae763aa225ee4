//! Where a task is: what broker, results and dead letters know of it, asked in the right order.

use cardoon_broker::{DeadLetter, Place, Waiting};
use cardoon_connect::Stores;
use cardoon_core::{Message, ResultRecord, TaskId, TaskState};
use cardoon_errors::{Code, Error, Result};
use cardoon_results::Reported;

/// All that the stores know of one task now.
#[derive(Debug, Default)]
pub struct Whereabouts {
    pub message: Option<(Waiting, Place)>,
    pub record: Option<ResultRecord>,
    pub dead: Option<DeadLetter>,
}

/// All that they know of it, its past included.
#[derive(Debug)]
pub struct Known {
    pub id: TaskId,
    pub found: Whereabouts,
    pub history: Vec<ResultRecord>,
    pub progress: Option<Reported>,
}

impl Whereabouts {
    /// The record is asked for last: a task that ends meanwhile is found there.
    pub async fn of(stores: &Stores, id: &TaskId) -> Result<Self> {
        let message = stores.broker.inspect().locate(id).await?;
        let dead = stores.broker.dead_letters().show(id).await?;
        let record = stores.results.get(std::slice::from_ref(id)).await?.pop().flatten();
        Ok(Self { message, record, dead })
    }

    pub fn is_unknown(&self) -> bool {
        self.message.is_none() && self.record.is_none() && self.dead.is_none()
    }

    /// Fails for an id that nobody knows.
    pub fn or_unknown(self, stores: &Stores, id: &TaskId) -> Result<Self> {
        if self.is_unknown() { Err(unknown(stores, id)) } else { Ok(self) }
    }
}

impl Known {
    /// Fails with `CD3004` for an id that nobody knows.
    pub async fn of(stores: &Stores, id: &TaskId) -> Result<Self> {
        let found = Whereabouts::of(stores, id).await?.or_unknown(stores, id)?;
        let history = stores.results.history(id).await?;
        let progress = stores.results.progress(id).await?;
        Ok(Self { id: id.clone(), found, history, progress })
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        let of_record = self.found.record.as_ref().map(|record| record.task.as_str());
        self.live_message().map(|message| message.task.as_str()).or(of_record).unwrap_or_else(|| {
            self.found.dead.as_ref().map(|dead| dead.message.task.as_str()).unwrap_or_default()
        })
    }

    /// The message as it waits, is held, or lies among the dead letters.
    pub fn message(&self) -> Option<&Message> {
        self.live_message().or(self.found.dead.as_ref().map(|dead| &dead.message))
    }

    pub fn state(&self) -> TaskState {
        match (&self.found.message, &self.found.record) {
            (_, Some(record)) if record.state.is_final() => record.state,
            (Some((_, Place::Held { started: true, .. })), _) => TaskState::Started,
            (Some((_, Place::Held { started: false, .. })), _) => TaskState::Received,
            (_, Some(record)) => record.state,
            (Some(_), None) => TaskState::Pending,
            (None, None) => TaskState::Failure,
        }
    }

    fn live_message(&self) -> Option<&Message> {
        self.found.message.as_ref().map(|(waiting, _)| &waiting.message)
    }
}

/// The error of an id that nobody knows.
pub fn unknown(stores: &Stores, id: &TaskId) -> Error {
    Error::new(Code::UnknownId, format!("no task has the id {id}"))
        .checked(format!("store: {}", stores.location))
        .checked("no message, no record, no dead letter")
        .hint("cardoon task list")
}
