//! Blocking tasks, on threads that are made when they are needed and kept for the next one.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::run::{Run, outcome};
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
    /// Threads that are there.
    alive: usize,
    /// Those that execute nothing: they wait for a job, or are on their way to.
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
        if short {
            line.alive += 1;
            line.idle += 1;
        }
        drop(line);
        if short && let Err(error) = self.add_thread() {
            self.shared.give_up(&error);
        }
        self.shared.more.notify_one();
    }

    fn add_thread(&self) -> std::io::Result<()> {
        let (shared, home) = (Arc::clone(&self.shared), self.home.clone());
        let thread = std::thread::Builder::new().name("cardoon-slot".to_owned());
        thread.spawn(move || {
            let _home = home.enter();
            while let Some(job) = shared.next() {
                job.execute(&shared);
            }
        })?;
        Ok(())
    }
}

/// What has not begun by then does not begin.
impl Drop for Threads {
    fn drop(&mut self) {
        let mut line = self.shared.line();
        line.closed = true;
        let left = std::mem::take(&mut line.jobs);
        drop(line);
        drop(left);
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
                line.idle -= 1;
                return Some(job);
            }
            if line.closed {
                return None;
            }
            line = self.more.wait(line).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A thread could not be started: another one takes the job when it is free, if there is one.
    fn give_up(&self, error: &std::io::Error) {
        let mut line = self.line();
        line.alive -= 1;
        line.idle -= 1;
        let job = if line.alive == 0 { line.jobs.pop_back() } else { None };
        drop(line);
        if let Some(job) = job {
            job.run.end(Outcome::CannotStart(format!("cannot start a thread: {error}")));
        } else {
            tracing::warn!(%error, "cannot start a thread; a task waits for another one");
        }
    }
}

impl Job {
    fn execute(self, shared: &Shared) {
        let Self { mut run, handler } = self;
        let _span = run.span().entered();
        let outcome = if run.begin() {
            let (context, arguments) = (run.context.clone(), run.start.call.arguments.clone());
            outcome(catch_unwind(AssertUnwindSafe(|| handler(context, arguments))))
        } else {
            Outcome::NotStarted
        };
        drop(handler);
        // Before it is told: the next job must find this thread, and not start another one.
        shared.line().idle += 1;
        run.end(outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;
    use crate::engine::Event;
    use crate::executors::fake;

    /// Notes the threads that it runs on.
    fn noting(threads: &Arc<Mutex<HashSet<std::thread::ThreadId>>>) -> BlockingHandler {
        let threads = Arc::clone(threads);
        Arc::new(move |_, _| {
            threads.lock().unwrap().insert(std::thread::current().id());
            Ok(bytes::Bytes::new())
        })
    }

    #[tokio::test]
    async fn a_job_that_follows_at_once_finds_the_thread_of_the_one_before() {
        let (kit, _store, mut events) = fake::kit(Duration::ZERO);
        let (pool, threads) = (Threads::new(Handle::current()), Arc::default());
        for ticket in 0..20_000 {
            let run = Run::new(fake::start(ticket, kit.clock.boot()), Arc::clone(&kit));
            pool.start(run, noting(&threads));
            // Without a pause: the engine answers an end with the next start.
            while !matches!(events.try_recv(), Ok(Event::Ended { .. })) {
                std::hint::spin_loop();
            }
        }
        assert_eq!(threads.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn what_waits_for_a_thread_when_the_worker_leaves_does_not_begin() {
        let (kit, _store, mut events) = fake::kit(Duration::ZERO);
        let (pool, threads) = (Threads::new(Handle::current()), Arc::default());
        let (entered, inside) = std::sync::mpsc::channel();
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let busy = Arc::new(move |_, _| {
            let _ = (entered.send(()), gate.lock().unwrap().recv());
            Ok(bytes::Bytes::new())
        });
        pool.start(Run::new(fake::start(1, kit.clock.boot()), Arc::clone(&kit)), busy);
        inside.recv().unwrap();
        let shared = Arc::clone(&pool.shared);
        let run = Run::new(fake::start(2, kit.clock.boot()), Arc::clone(&kit));
        shared.line().jobs.push_back(Job { run, handler: noting(&threads) });
        drop(pool);
        let left = tokio::time::timeout(Duration::from_secs(20), events.recv()).await.unwrap();
        assert!(matches!(left, Some(Event::Ended { outcome: Outcome::NotStarted, .. })));
        release.send(()).unwrap();
        assert!(matches!(events.recv().await, Some(Event::Ended { outcome: Outcome::Succeeded(_), .. })));
        assert!(threads.lock().unwrap().is_empty());
    }
}
