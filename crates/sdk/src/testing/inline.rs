use std::any::Any;
use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cardoon_core::{NextStep, Progress, ResultRecord, RunNumber, TaskId, TaskState, Timestamp};
use cardoon_errors::{Code, Error, Result};
use cardoon_protocol::Arguments;
use cardoon_results::{BeginRun, Begun};
use cardoon_runtime::Clock;
use cardoon_worker::{ContextParts, Handler, States, TaskContext, TaskDefinition, TaskError, TaskResult};
use futures_util::FutureExt;
use serde::de::DeserializeOwned;

use super::Sent;
use crate::{App, Task, TypedSignature, sending};

/// The draw that makes a retry's delay as long as jitter allows.
const LONGEST_DELAY: f64 = 1.0;

/// Makes an [`App`] that executes tasks as they are sent; see [`inline`](super::inline).
#[derive(Default)]
#[must_use = "make the app with `build`"]
pub struct InlineBuilder {
    inline: Inline,
    clock: Clock,
}

/// Executes tasks in the process of their sender, and remembers them.
#[derive(Default)]
pub(crate) struct Inline {
    states: Arc<States>,
    /// Tasks that may be sent by name.
    named: HashMap<String, TaskDefinition>,
    record_only: bool,
    sent: Mutex<Vec<Sent>>,
}

/// One run of a task, before it begins.
struct Run<'a> {
    definition: &'a TaskDefinition,
    id: TaskId,
    attempt: u32,
    number: RunNumber,
}

impl InlineBuilder {
    /// Lets a task be sent by its name alone. One that is sent by its own `signature` need not be added.
    pub fn task<T: Task>(mut self) -> Self {
        self.inline.named.insert(T::NAME.into(), T::definition());
        self
    }

    /// Gives all tasks a value, which they take as [`State<T>`](crate::State).
    pub fn state<S: Send + Sync + 'static>(mut self, state: S) -> Self {
        Arc::make_mut(&mut self.inline.states).insert(state);
        self
    }

    /// Only records what is sent, and executes nothing: every task stays pending.
    pub fn record_only(mut self) -> Self {
        self.inline.record_only = true;
        self
    }

    /// The clock that due times and records are read from.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Makes the app.
    pub fn build(self) -> App {
        App::of_inline(self.inline, self.clock)
    }
}

impl Inline {
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.records().clone()
    }

    /// Records `signature`, executes it up to its end, and stores every run's record.
    pub(crate) async fn send<T>(&self, app: &App, mut signature: TypedSignature<T>) -> Result<TaskId> {
        sending::resolve(app, &mut signature, app.clock().now())?;
        let id = signature.as_signature().options.id.clone().ok_or_else(no_id)?;
        if self.records().iter().any(|sent| sent.id() == Some(&id)) {
            return Ok(id);
        }
        let definition = if self.record_only { None } else { Some(self.definition(&signature)?) };
        let place = {
            let mut records = self.records();
            records.push(Sent::new(signature.as_signature().clone()));
            records.len() - 1
        };
        match definition {
            None => sending::store(app, signature).await,
            Some(definition) => {
                self.execute(app, &signature, &definition, place).await?;
                Ok(id)
            }
        }
    }

    /// Runs `signature` once, and leaves no trace.
    pub(super) async fn perform<T: DeserializeOwned>(
        &self,
        app: &App,
        mut signature: TypedSignature<T>,
    ) -> Result<T, TaskError> {
        sending::resolve(app, &mut signature, app.clock().now())?;
        let definition = self.definition(&signature)?;
        let id = signature.as_signature().options.id.clone().ok_or_else(no_id)?;
        let run = Run { definition: &definition, id, attempt: 0, number: RunNumber::FIRST };
        let (outcome, _) = self.run(app, &signature, &run).await;
        Ok(serde_json::from_slice(&outcome?)?)
    }

    async fn execute<T>(
        &self,
        app: &App,
        signature: &TypedSignature<T>,
        definition: &TaskDefinition,
        place: usize,
    ) -> Result<()> {
        let id = signature.as_signature().options.id.clone().ok_or_else(no_id)?;
        for attempt in 0.. {
            let number = begin(app, &id, attempt).await?;
            let run = Run { definition, id: id.clone(), attempt, number };
            let started_at = app.clock().now();
            let (outcome, progress) = self.run(app, signature, &run).await;
            let delay = outcome.as_ref().err().and_then(|error| retry_delay(definition, attempt, error));
            let record = record(app, signature, &run, started_at, outcome, delay);
            if let Some(last) = progress.last() {
                app.stores().results.report(&id, number, last.clone()).await?;
            }
            store(app, record.clone()).await?;
            self.note(place, record, progress, delay);
            if delay.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Calls the task's function.
    async fn run<T>(
        &self,
        app: &App,
        signature: &TypedSignature<T>,
        run: &Run<'_>,
    ) -> (TaskResult, Vec<Progress>) {
        let reported = Arc::new(Mutex::new(Vec::new()));
        let context = self.context(app, signature, run, &reported);
        context.begin();
        let call = signature.as_signature();
        let outcome = match Arguments::new(call.args.clone(), call.kwargs.clone()) {
            Ok(arguments) => call_handler(&run.definition.handler, context, arguments).await,
            Err(error) => Err(TaskError::bad_arguments(error.to_string())),
        };
        let progress = std::mem::take(&mut *reported.lock().unwrap_or_else(PoisonError::into_inner));
        (outcome, progress)
    }

    fn context<T>(
        &self,
        app: &App,
        signature: &TypedSignature<T>,
        run: &Run<'_>,
        reported: &Arc<Mutex<Vec<Progress>>>,
    ) -> TaskContext {
        let options = &signature.as_signature().options;
        let own = &run.definition.options;
        let reported = Arc::clone(reported);
        TaskContext::new(ContextParts {
            id: run.id.clone(),
            task: signature.task().into(),
            queue: options.queue.clone().unwrap_or_default(),
            attempt: run.attempt,
            run: run.number,
            root_id: options.root_id.clone(),
            parent_id: options.parent_id.clone(),
            trace: cardoon_protocol::trace_of(&options.headers).map(Arc::new),
            soft_time_limit: options.soft_time_limit.or(own.soft_time_limit),
            time_limit: options.time_limit.or(own.time_limit),
            states: Arc::clone(&self.states),
            clock: app.clock().clone(),
            progress: Arc::new(move |progress| {
                reported.lock().unwrap_or_else(PoisonError::into_inner).push(progress);
            }),
        })
    }

    /// The task that `signature` calls, with all its states at hand.
    fn definition<T>(&self, signature: &TypedSignature<T>) -> Result<TaskDefinition> {
        let name = signature.task();
        let known = signature.known().map(crate::task::KnownTask::definition);
        let definition = known.or_else(|| self.named.get(name).cloned()).ok_or_else(|| {
            Error::new(Code::NoSuchTask, format!("no task is named {name}"))
                .hint("add the task: testing::inline().task::<…>().build()")
        })?;
        match definition.states.iter().find(|need| !self.states.has(need)) {
            None => Ok(definition),
            Some(need) => {
                let message = format!("task {name} needs the state {}", need.name);
                Err(Error::new(Code::StateMissing, message)
                    .hint("add it: testing::inline().state(…).build()"))
            }
        }
    }

    fn note(&self, place: usize, record: ResultRecord, progress: Vec<Progress>, delay: Option<Duration>) {
        if let Some(sent) = self.records().get_mut(place) {
            sent.runs.push(record);
            sent.progress.extend(progress);
            sent.retry_delays.extend(delay);
        }
    }

    fn records(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn call_handler(handler: &Handler, context: TaskContext, arguments: Arguments) -> TaskResult {
    match handler {
        Handler::Async(function) => {
            let run = AssertUnwindSafe(function(context, arguments)).catch_unwind();
            run.await.unwrap_or_else(|panic| Err(panicked(panic.as_ref())))
        }
        Handler::Blocking(function) => {
            let function = Arc::clone(function);
            let run = tokio::task::spawn_blocking(move || function(context, arguments));
            run.await.unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => Err(panicked(panic.as_ref())),
                Err(_) => Err(TaskError::new(TaskError::PANIC, "the runtime was shut down")),
            })
        }
        Handler::Child(_) => {
            Err(TaskError::fatal("NotStarted", "the code of the task is in another process"))
        }
    }
}

fn panicked(panic: &(dyn Any + Send)) -> TaskError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    TaskError::new(TaskError::PANIC, text.unwrap_or("the task panicked"))
}

/// The pause before the next attempt, if there is to be one.
fn retry_delay(definition: &TaskDefinition, attempt: u32, error: &TaskError) -> Option<Duration> {
    if error.is_bad_arguments() {
        return None;
    }
    match definition.options.retry.after_failure(attempt, &error.failure, error.hint, LONGEST_DELAY) {
        NextStep::RetryIn(delay) => Some(delay),
        NextStep::Exhausted | NextStep::GiveUp => None,
    }
}

async fn begin(app: &App, id: &TaskId, attempt: u32) -> Result<RunNumber> {
    if attempt == 0 {
        return Ok(RunNumber::FIRST);
    }
    let begun = app.stores().results.begin(vec![BeginRun { id: id.clone(), attempt }]).await.pop();
    match begun {
        Some(Ok(Begun::Run(number))) => Ok(number),
        Some(Err(error)) => Err(error),
        Some(Ok(Begun::Ended | Begun::Superseded)) | None => {
            Err(Error::new(Code::Internal, format!("attempt {attempt} of {id} could not begin")))
        }
    }
}

fn record<T>(
    app: &App,
    signature: &TypedSignature<T>,
    run: &Run<'_>,
    started_at: Timestamp,
    outcome: TaskResult,
    delay: Option<Duration>,
) -> ResultRecord {
    let options = &signature.as_signature().options;
    let ignored = options.ignore_result.unwrap_or(run.definition.options.ignore_result);
    let (state, value, failure) = match outcome {
        Ok(value) => (TaskState::Success, Some(value).filter(|_| !ignored), None),
        Err(error) if delay.is_some() => (TaskState::Retry, None, Some(error.failure)),
        Err(error) => (TaskState::Failure, None, Some(error.failure)),
    };
    ResultRecord {
        id: run.id.clone(),
        task: signature.task().to_owned(),
        queue: options.queue.clone().unwrap_or_default(),
        state,
        run: run.number,
        attempt: run.attempt,
        value,
        failure,
        worker: "inline".into(),
        started_at: Some(started_at),
        finished_at: app.clock().now(),
    }
}

async fn store(app: &App, record: ResultRecord) -> Result<()> {
    app.stores().results.store(vec![record]).await.into_iter().collect::<Result<Vec<_>>>().map(drop)
}

fn no_id() -> Error {
    Error::new(Code::Internal, "a resolved signature has no id")
}
