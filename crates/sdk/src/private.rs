//! What the code of `#[cardoon::task]` calls. No part of the interface: it may change at any time.

use std::cell::Cell;
use std::error::Error as StdError;
use std::future::Future;

use bytes::Bytes;
use cardoon_core::QueueName;
use cardoon_protocol::{Arguments, Bound};
use cardoon_worker::{Handler, StateNeed, TaskContext, TaskDefinition, TaskError, TaskResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::signature::SignatureWriter;
pub use crate::task::KnownTask;
use crate::{State, Task};

pub fn definition<T: Task>(handler: Handler, states: Vec<StateNeed>) -> TaskDefinition {
    TaskDefinition {
        name: T::NAME.to_owned(),
        options: T::options(),
        handler,
        parameters: T::PARAMETERS.to_vec(),
        states,
    }
}

pub fn async_handler<F, R>(function: F) -> Handler
where
    F: Fn(TaskContext, Arguments) -> R + Send + Sync + 'static,
    R: Future<Output = TaskResult> + Send + 'static,
{
    Handler::asynchronous(function)
}

pub fn blocking_handler<F>(function: F) -> Handler
where
    F: Fn(TaskContext, Arguments) -> TaskResult + Send + Sync + 'static,
{
    Handler::blocking(function)
}

pub fn bind<'a>(arguments: &'a Arguments, names: &'a [&'a str]) -> Result<Bound<'a>, TaskError> {
    arguments.bind(names).map_err(|error| TaskError::bad_arguments(error.to_string()))
}

pub fn take<A: DeserializeOwned>(bound: &mut Bound<'_>, index: usize) -> Result<A, TaskError> {
    bound.take(index).map_err(|error| TaskError::bad_arguments(error.to_string()))
}

pub fn state<S: Send + Sync + 'static>(context: &TaskContext) -> Result<State<S>, TaskError> {
    context.state::<S>().map(State).ok_or_else(|| {
        let name = std::any::type_name::<S>();
        TaskError::fatal("StateMissing", format!("the worker has no state of type {name}"))
    })
}

pub fn state_need<S: Send + Sync + 'static>() -> StateNeed {
    StateNeed::of::<S>()
}

pub fn written<T: Serialize>(value: &T) -> TaskResult {
    serde_json::to_vec(value).map(Bytes::from).map_err(|error| {
        TaskError::fatal("NotSerializable", format!("the result cannot be written as JSON: {error}"))
    })
}

/// A queue whose name the attribute has checked.
pub fn queue(name: &str) -> QueueName {
    QueueName::new(name).expect("the attribute checks the names of queues")
}

/// An error that a task returned. Its two conversions are told apart by how often a method call must dereference:
/// what converts into a [`TaskError`] does so, the rest (`anyhow::Error`, `String`) goes by its text.
pub struct Raised<E>(Cell<Option<E>>);

impl<E> Raised<E> {
    pub fn new(error: E) -> Self {
        Self(Cell::new(Some(error)))
    }

    fn take(&self) -> E {
        self.0.take().expect("an error is converted once")
    }
}

pub trait FromTaskError {
    fn task_error(&self) -> TaskError;
}

impl<E: Into<TaskError>> FromTaskError for &Raised<E> {
    fn task_error(&self) -> TaskError {
        self.take().into()
    }
}

pub trait FromErrorText {
    fn task_error(&self) -> TaskError;
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> FromErrorText for Raised<E> {
    fn task_error(&self) -> TaskError {
        let error: Box<dyn StdError + Send + Sync> = self.take().into();
        let causes = std::iter::successors(error.source(), |cause| (*cause).source());
        let details: Vec<_> = causes.map(ToString::to_string).collect();
        let mut raised = TaskError::new(kind::<E>(), error.to_string());
        raised.failure.details = details.join("\n");
        raised
    }
}

/// A text has no kind of its own.
fn kind<E>() -> String {
    match std::any::type_name::<E>() {
        "alloc::string::String" | "&str" => "Error".into(),
        name => name.into(),
    }
}
