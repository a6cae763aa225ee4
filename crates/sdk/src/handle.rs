use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use cardoon_broker::{Place, Revoked, Waiting};
use cardoon_core::{Progress, ResultRecord, TaskId, TaskState};
use cardoon_errors::{Code, Error, Result};
use serde::de::DeserializeOwned;

use crate::{App, failure};

/// A task that was sent; `T` is what it returns. Cheap to clone.
///
/// Awaiting a handle waits for the task's end, however long that takes, and gives its result:
///
/// * the return value, if the task succeeded;
/// * `CD3001` if it failed for good, `CD3002` if it was revoked or expired; [`ErrorExt::failure`](crate::ErrorExt) has
///   the details of the failure.
///
/// A failed attempt that is retried is not an end. Dropping a handle changes nothing about the task.
pub struct TaskHandle<T> {
    app: App,
    id: TaskId,
    output: PhantomData<fn() -> T>,
}

impl<T> TaskHandle<T> {
    pub(crate) fn new(app: App, id: TaskId) -> Self {
        Self { app, id, output: PhantomData }
    }

    /// The id of the task, the same for all its attempts.
    pub fn id(&self) -> &TaskId {
        &self.id
    }

    /// Where the task stands. `CD3004` if neither the broker nor the results know its id.
    pub async fn state(&self) -> Result<TaskState> {
        if let Some(state) = self.final_state().await? {
            return Ok(state);
        }
        if let Some((waiting, place)) = self.app.stores().broker.inspect().locate(&self.id).await? {
            return Ok(state_at(&waiting, &place));
        }
        // It may have ended between the two questions.
        match self.record().await? {
            Some(record) => Ok(record.state),
            None => Err(self.unknown()),
        }
    }

    /// The record of its latest ended run: its result, or the last failed attempt.
    pub async fn record(&self) -> Result<Option<ResultRecord>> {
        Ok(self.app.stores().results.get(std::slice::from_ref(&self.id)).await?.pop().flatten())
    }

    /// All its ended runs, first to last.
    pub async fn history(&self) -> Result<Vec<ResultRecord>> {
        self.app.stores().results.history(&self.id).await
    }

    /// How far the task said it is, if it did; `None` again after its end.
    pub async fn progress(&self) -> Result<Option<Progress>> {
        Ok(self.app.stores().results.progress(&self.id).await?.map(|reported| reported.progress))
    }

    /// Revokes the task, durably: one that waits is not executed, one that runs is told to stop.
    pub async fn revoke(&self) -> Result<Revoked> {
        self.app.revoke(&self.id).await
    }

    async fn final_state(&self) -> Result<Option<TaskState>> {
        Ok(self.record().await?.map(|record| record.state).filter(|state| state.is_final()))
    }

    fn unknown(&self) -> Error {
        Error::new(Code::UnknownId, format!("no task has the id {}", self.id))
            .checked(format!("broker and results: {}", self.app.stores().location))
            .hint("results are kept for a day: cardoon task list shows those that are known")
    }
}

impl<T: DeserializeOwned> TaskHandle<T> {
    /// Waits for the task's end, at most `limit`; `CD3003` when that is over, and the task goes on.
    pub async fn wait(&self, limit: Duration) -> Result<T> {
        let record = self.app.stores().results.wait(&self.id, Some(limit)).await?;
        outcome(&record.ok_or_else(|| {
            Error::new(Code::WaitTimedOut, format!("the task {} did not end within {limit:?}", self.id))
                .hint(format!("cardoon task why {}", self.id))
        })?)
    }

    async fn get(&self) -> Result<T> {
        loop {
            if let Some(record) = self.app.stores().results.wait(&self.id, None).await? {
                return outcome(&record);
            }
        }
    }
}

impl<T: DeserializeOwned + 'static> IntoFuture for TaskHandle<T> {
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.get().await })
    }
}

impl<'a, T: DeserializeOwned + 'static> IntoFuture for &'a TaskHandle<T> {
    type Output = Result<T>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.get())
    }
}

impl<T> Clone for TaskHandle<T> {
    fn clone(&self) -> Self {
        Self::new(self.app.clone(), self.id.clone())
    }
}

impl<T> fmt::Debug for TaskHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What the end of a task means to the one who waits.
fn outcome<T: DeserializeOwned>(record: &ResultRecord) -> Result<T> {
    if record.state != TaskState::Success {
        return Err(failure::ended_badly(record));
    }
    let value = record.value.as_deref().unwrap_or(b"null");
    serde_json::from_slice(value).map_err(|error| {
        let name = failure::name(&record.task, &record.id);
        let message = format!("{name} succeeded, but its result is no {}", std::any::type_name::<T>());
        let hint = match record.value {
            Some(_) => "the sender and the worker disagree about what the task returns",
            None => "the task ignores its result: there is no value to wait for",
        };
        Error::new(Code::BadMessage, message).hint(hint).source(error)
    })
}

fn state_at(waiting: &Waiting, place: &Place) -> TaskState {
    match place {
        Place::Held { started: true, .. } => TaskState::Started,
        Place::Held { started: false, .. } => TaskState::Received,
        Place::Ready | Place::Delayed { .. } if waiting.message.attempt > 0 => TaskState::Retry,
        Place::Ready | Place::Delayed { .. } => TaskState::Pending,
    }
}
