//! Blocking tasks, on threads that are made when they are needed and kept for the next one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::run::{Run, outcome};
use crate::TaskError;
use crate::definition::BlockingHandler;
use crate::engine::Outcome;

/// The threads of a worker. A thread whose task never ends is left to itself.
pub(super) struct Threads {
    shared: Arc<Shared>,
    home: Handle,
}

#[derive(Default)]
struct Shared {
    line: Mutex<Line>,
    more: Condvar,
}

#[derive(Default)]
struct Line {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    closed: bool,
}

struct Job {
    run: Run,
    handler: BlockingHandler,
}

impl Threads {
    pub(super) fn new(home: Handle) -> Self {
        Self { shared: Arc::default(), home }
    }

    pub(super) fn start(&self, run: Run, handler: BlockingHandler) {
        let mut line = self.shared.line();
        line.jobs.push_back(Job { run, handler });
        let short = line.jobs.len() > line.idle;
        drop(line);
        if short {
            self.add_thread();
        }
        self.shared.more.notify_one();
    }

    fn add_thread(&self) {
        let (shared, home) = (Arc::clone(&self.shared), self.home.clone());
        let name = "cardoon-slot".to_owned();
        let spawned = std::thread::Builder::new().name(name).spawn(move || {
            let _home = home.enter();
            while let Some(job) = shared.next() {
                job.execute();
            }
        });
        if let Err(error) = spawned {
            let job = self.shared.line().jobs.pop_back();
            if let Some(job) = job {
                let text = format!("cannot start a thread: {error}");
                job.run.end(Outcome::Failed(TaskError::new("ThreadNotStarted", text)));
            }
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.shared.line().closed = true;
        self.shared.more.notify_all();
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a job; none when the worker is gone.
    fn next(&self) -> Option<Job> {
        let mut line = self.line();
        loop {
            if let Some(job) = line.jobs.pop_front() {
                return Some(job);
            }
            if line.closed {
                return None;
            }
            line.idle += 1;
            line = self.more.wait(line).unwrap_or_else(PoisonError::into_inner);
            line.idle -= 1;
        }
    }
}

impl Job {
    fn execute(self) {
        let Self { mut run, handler } = self;
        let _span = run.span().entered();
        if !run.begin() {
            return run.end(Outcome::NotStarted);
        }
        let (context, arguments) = (run.context.clone(), run.start.call.arguments.clone());
        let called = catch_unwind(AssertUnwindSafe(|| handler(context, arguments)));
        run.end(outcome(called));
    }
}
