//! The ways to run user code: futures, threads and child processes.

#[cfg(target_os = "linux")]
mod children;
#[cfg(test)]
mod fake;
mod future;
mod run;
mod thread;

#[cfg(unix)]
mod process;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

#[cfg(target_os = "linux")]
use cardoon_children::Prepared;
#[cfg(target_os = "linux")]
use cardoon_errors::Result;
#[cfg(unix)]
use cardoon_runtime::ServiceKind;
use cardoon_runtime::Supervisor;
use tokio::runtime::Handle;
#[cfg(unix)]
use tracing::Instrument;

use crate::engine::{Start, Ticket};
use crate::{CancelReason, ChildTask, Handler, Isolation, TaskContext};

#[cfg(unix)]
pub use process::is_child;
#[cfg(unix)]
pub(crate) use process::serve_parent;
pub(crate) use run::Kit;
use run::Run;

/// Runs what the engine starts, and reaches it while it runs.
pub(crate) struct Executors {
    kit: Arc<Kit>,
    running: HashMap<Ticket, TaskContext>,
    /// Owns the tasks' futures.
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only child processes are watched by the worker itself")
    )]
    runs: Supervisor,
    futures: future::Futures,
    threads: thread::Threads,
    #[cfg(unix)]
    processes: Arc<process::Pool>,
    #[cfg(target_os = "linux")]
    children: Option<children::Children>,
}

impl Executors {
    pub(crate) fn new(kit: Kit, home: Handle, slots: usize, child_start: Duration) -> Self {
        let runs = Supervisor::new();
        #[cfg(not(unix))]
        let _ = child_start;
        Self {
            futures: future::Futures::new(runs.clone(), &home, slots, kit.clock.clone()),
            threads: thread::Threads::new(home),
            #[cfg(unix)]
            processes: Arc::new(process::Pool::new(kit.clock.clone(), child_start)),
            #[cfg(target_os = "linux")]
            children: None,
            kit: Arc::new(kit),
            running: HashMap::new(),
            runs,
        }
    }

    /// Starts the children of `prepared`, by services of `services`.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_children(&mut self, prepared: Prepared, services: &Supervisor) -> Result<()> {
        self.children = Some(children::Children::new(prepared, Arc::clone(&self.kit), services)?);
        Ok(())
    }

    pub(crate) fn start(&mut self, start: Box<Start>) {
        let ticket = start.ticket;
        let definition = &start.task.definition;
        let (isolate, handler) = (definition.options.isolate, definition.handler.clone());
        let run = Run::new(start, Arc::clone(&self.kit));
        self.running.insert(ticket, run.context.clone());
        match (isolate, handler) {
            (Isolation::Process, _) => self.start_process(run),
            (Isolation::None, Handler::Async(handler)) => {
                self.futures.add(run, handler);
            }
            (Isolation::None, Handler::Blocking(handler)) => self.threads.start(run, handler),
            (Isolation::None, Handler::Child(task)) => self.start_in_child(run, task),
        }
    }

    /// Asynchronous tasks of this step begin together: one wake-up of the program's runtime for all of them.
    pub(crate) fn flush(&mut self) {
        self.futures.flush();
        #[cfg(target_os = "linux")]
        if let Some(children) = &self.children {
            children.flush();
        }
    }

    /// Whether what is started now can begin soon.
    pub(crate) fn is_ready(&self) -> bool {
        #[cfg(target_os = "linux")]
        let is_ready = self.children.as_ref().is_none_or(children::Children::is_ready);
        #[cfg(not(target_os = "linux"))]
        let is_ready = true;
        is_ready
    }

    /// Waits until that is so.
    pub(crate) async fn ready(&self) {
        #[cfg(target_os = "linux")]
        if let Some(children) = &self.children {
            children.ready().await;
        }
    }

    /// Lets children end as programs do, within `limit`.
    pub(crate) async fn close(&self, limit: Duration) {
        #[cfg(target_os = "linux")]
        if let Some(children) = &self.children {
            tokio::select! {
                () = children.close() => {}
                () = self.kit.clock.sleep(limit) => tracing::warn!("children do not end, and are killed"),
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = limit;
    }

    /// There are to be so many children.
    pub(crate) fn resize(&self, slots: usize) {
        tracing::info!(slots, "the load has changed the number of slots");
        #[cfg(target_os = "linux")]
        if let Some(children) = &self.children {
            children.resize(slots);
        }
    }

    /// The worker drains: what waits close to its slots does not begin.
    pub(crate) fn drain(&self) {
        #[cfg(target_os = "linux")]
        if let Some(children) = &self.children {
            children.drain();
        }
    }

    /// The run has ended.
    pub(crate) fn forget(&mut self, ticket: Ticket) {
        self.running.remove(&ticket);
    }

    pub(crate) fn cancel(&self, ticket: Ticket, reason: CancelReason) {
        if let Some(context) = self.running.get(&ticket) {
            context.cancel(reason);
            #[cfg(target_os = "linux")]
            if let Some(children) = &self.children {
                children.cancel(ticket, reason);
            }
        }
    }

    /// Keeps user code from beginning. False if it has begun, or the run is over.
    pub(crate) fn call_off(&self, ticket: Ticket) -> bool {
        self.running.get(&ticket).is_some_and(TaskContext::call_off)
    }

    pub(crate) fn abort(&self, ticket: Ticket) {
        if let Some(context) = self.running.get(&ticket) {
            context.abort();
            #[cfg(target_os = "linux")]
            if let Some(children) = &self.children {
                children.abort(ticket);
            }
        }
    }

    /// The builder gives such tasks to a worker only together with their children.
    #[cfg(target_os = "linux")]
    fn start_in_child(&self, run: Run, task: ChildTask) {
        match &self.children {
            Some(children) => children.start(run, task),
            None => drop(run),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn start_in_child(&self, run: Run, task: ChildTask) {
        let (_, _) = (self, task);
        drop(run);
    }

    /// On the worker's own runtime: a child is watched even if the program's runtime is busy.
    #[cfg(unix)]
    fn start_process(&self, run: Run) {
        let span = run.span();
        let watch = process::execute(run, Arc::clone(&self.processes)).instrument(span);
        self.runs.spawn(ServiceKind::TaskRun, watch);
    }

    /// The builder has refused such tasks; see `CD3010`.
    #[cfg(not(unix))]
    fn start_process(&self, run: Run) {
        let _ = self;
        drop(run);
    }
}

/// What has not begun by then does not begin: the worker leaves, and others will run it.
impl Drop for Executors {
    fn drop(&mut self) {
        self.kit.gate.shut();
    }
}

/// Whether this process was started by a worker to execute isolated tasks.
#[cfg(not(unix))]
pub fn is_child() -> bool {
    false
}

#[cfg(not(unix))]
pub(crate) async fn serve_parent(worker: crate::Worker) -> cardoon_errors::Result<crate::WorkerExit> {
    let _ = worker;
    Ok(crate::WorkerExit::Drained)
}
