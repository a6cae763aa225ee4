//! Where a task is: what broker, results and dead letters know of it, asked in the right order.

use cardoon_broker::{DeadLetter, Place, Waiting};
use cardoon_core::{ResultRecord, TaskId};
use cardoon_errors::{Code, Error, Result};

use crate::stores::Stores;

/// All that the stores know of one task.
#[derive(Debug, Default)]
pub(crate) struct Whereabouts {
    pub(crate) message: Option<(Waiting, Place)>,
    pub(crate) record: Option<ResultRecord>,
    pub(crate) dead: Option<DeadLetter>,
}

impl Whereabouts {
    /// The record is asked for last: a task that ends meanwhile is found there.
    pub(crate) async fn of(stores: &Stores, id: &TaskId) -> Result<Self> {
        let message = stores.broker.inspect().locate(id).await?;
        let dead = stores.broker.dead_letters().show(id).await?;
        let record = stores.results.get(std::slice::from_ref(id)).await?.pop().flatten();
        Ok(Self { message, record, dead })
    }

    pub(crate) fn is_unknown(&self) -> bool {
        self.message.is_none() && self.record.is_none() && self.dead.is_none()
    }

    /// Fails for an id that nobody knows.
    pub(crate) fn or_unknown(self, stores: &Stores, id: &TaskId) -> Result<Self> {
        if self.is_unknown() { Err(unknown(stores, id)) } else { Ok(self) }
    }
}

/// The error of an id that nobody knows.
pub(crate) fn unknown(stores: &Stores, id: &TaskId) -> Error {
    Error::new(Code::UnknownId, format!("no task has the id {id}"))
        .checked(format!("store: {}", stores.location))
        .checked("no message, no record, no dead letter")
        .hint("cardoon task list")
}
