//! The tasks of the drills: each tells the witness when it starts and when its work is done.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cardoon_core::RetryPolicy;
use cardoon_drills::Witness;
use cardoon_protocol::Arguments;
use cardoon_runtime::Clock;
use cardoon_worker::{
    AckMode, Handler, StateNeed, TaskContext, TaskDefinition, TaskError, TaskOptions, TaskResult,
};

use crate::rig::{Step, Tripwire};

/// Takes so many seconds.
pub(crate) const WORK: &str = "drill.work";
/// The same, on a thread that it blocks.
pub(crate) const BLOCKING: &str = "drill.blocking";
/// Fails in its first attempt and succeeds in its second.
pub(crate) const FLAKY: &str = "drill.flaky";
/// Fails whenever it is tried.
pub(crate) const BROKEN: &str = "drill.broken";
/// The same as [`WORK`], acknowledged before it starts.
pub(crate) const EARLY: &str = "drill.early";
/// The same as [`WORK`], known only to workers that were deployed last.
pub(crate) const NEW: &str = "drill.new";

const PARAMETERS: &[&str] = &["seconds"];

/// All tasks that a worker knows.
pub(crate) fn all(knows_new: bool) -> Vec<TaskDefinition> {
    let early = TaskOptions { ack: AckMode::Early, ..TaskOptions::default() };
    let at_once = RetryPolicy { base: Duration::from_millis(50), jitter: false, ..RetryPolicy::default() };
    let flaky = TaskOptions { retry: at_once, ..TaskOptions::default() };
    let blocking = Handler::blocking(|context, arguments| block(&context, &arguments));
    let mut tasks = vec![
        definition(WORK, TaskOptions::default(), Handler::asynchronous(work)),
        definition(EARLY, early, Handler::asynchronous(work)),
        definition(FLAKY, flaky, Handler::asynchronous(fail_once)),
        definition(BROKEN, TaskOptions::default(), Handler::asynchronous(fail)),
        definition(BLOCKING, TaskOptions::default(), blocking),
    ];
    if knows_new {
        tasks.push(definition(NEW, TaskOptions::default(), Handler::asynchronous(work)));
    }
    tasks
}

fn definition(name: &str, options: TaskOptions, handler: Handler) -> TaskDefinition {
    let states = vec![StateNeed::of::<Witness>(), StateNeed::of::<Tripwire>()];
    TaskDefinition { name: name.to_owned(), options, handler, parameters: PARAMETERS.to_vec(), states }
}

async fn work(context: TaskContext, arguments: Arguments) -> TaskResult {
    let run = Run::start(&context, &arguments)?;
    Clock::real().sleep(run.duration).await;
    run.end(&context)
}

async fn fail_once(context: TaskContext, arguments: Arguments) -> TaskResult {
    let done = work(context.clone(), arguments).await;
    if context.attempt() == 0 {
        return Err(TaskError::new("FirstAttempt", "the first attempt fails"));
    }
    done
}

async fn fail(context: TaskContext, arguments: Arguments) -> TaskResult {
    work(context, arguments).await?;
    Err(TaskError::fatal("Broken", "every attempt fails"))
}

#[expect(clippy::disallowed_methods, reason = "the task is there to block its thread")]
fn block(context: &TaskContext, arguments: &Arguments) -> TaskResult {
    let run = Run::start(context, arguments)?;
    std::thread::sleep(run.duration);
    run.end(context)
}

/// One run, from its testimony to the other.
struct Run {
    witness: Arc<Witness>,
    wire: Arc<Tripwire>,
    duration: Duration,
}

impl Run {
    fn start(context: &TaskContext, arguments: &Arguments) -> Result<Self, TaskError> {
        let missing = || TaskError::fatal("Drill", "the worker has no witness");
        let witness = context.state::<Witness>().ok_or_else(missing)?;
        let wire = context.state::<Tripwire>().ok_or_else(missing)?;
        let seconds = arguments.bind(PARAMETERS)?.take(0)?;
        witness.started(context.id(), context.run())?;
        wire.pass(Step::TaskStarted);
        Ok(Self { witness, wire, duration: Duration::try_from_secs_f64(seconds)? })
    }

    fn end(self, context: &TaskContext) -> TaskResult {
        self.witness.ended(context.id(), context.run())?;
        self.wire.pass(Step::TaskEnded);
        Ok(Bytes::from_static(b"null"))
    }
}
