//! Asynchronous tasks, on the program's own runtime.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::Duration;

use cardoon_errors::Result;
use cardoon_runtime::{Clock, ServiceKind, Supervisor};
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument;

use super::run::{Run, outcome};
use crate::definition::AsyncHandler;
use crate::engine::Outcome;

/// A run that has not begun, and what it calls.
type Launch = (Run, AsyncHandler);

/// More launchers than threads that tokio makes for blocking code by default would not help.
const MOST_LAUNCHERS: usize = 512;

/// How long runs may wait for a launcher, while none is launched, before another one is made.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// So many runs are launched before other futures of the thread have their turn.
const AT_A_STRETCH: u32 = 64;

/// Hands runs to the program's runtime, a batch at a time.
pub(super) struct Futures {
    batch: Vec<Launch>,
    /// The launchers own it: a runtime that is gone drops it with all that waits, which tells the engine that those runs
    /// have not begun.
    pad: Weak<Pad>,
    /// Runs have come that must be launched.
    look: Arc<Notify>,
    /// Of the program's runtime.
    threads: usize,
    _ended: DropGuard,
}

/// Where runs wait for a launcher.
struct Pad {
    runs: Supervisor,
    waiting: Mutex<VecDeque<Launch>>,
    came: Notify,
    launched: AtomicU64,
}

impl Futures {
    /// As many launchers as there are slots: a run that blocks its thread, or leaves it with `block_in_place`, keeps no
    /// other one from beginning.
    ///
    /// To be called on the worker's own runtime, on which launchers are looked after.
    pub(super) fn new(runs: Supervisor, home: &Handle, slots: usize, clock: Clock) -> Self {
        let pad = Arc::new(Pad {
            runs,
            waiting: Mutex::default(),
            came: Notify::new(),
            launched: AtomicU64::new(0),
        });
        let ended = CancellationToken::new();
        let look = Arc::new(Notify::new());
        let looking = look_after(Arc::downgrade(&pad), Arc::clone(&look), home.clone(), clock);
        let looking = ended.clone().run_until_cancelled_owned(looking);
        pad.runs.spawn(ServiceKind::TaskRun, async { looking.await.unwrap_or(Ok(())) });
        let _home = home.enter();
        for _ in 0..slots.min(MOST_LAUNCHERS) {
            let (launcher, ended) = (Arc::clone(&pad), ended.clone());
            let launching = async move {
                ended.run_until_cancelled(launcher.serve()).await;
                Ok(())
            };
            pad.runs.spawn(ServiceKind::TaskRun, launching);
        }
        Self {
            batch: Vec::new(),
            pad: Arc::downgrade(&pad),
            look,
            threads: home.metrics().num_workers(),
            _ended: ended.drop_guard(),
        }
    }

    pub(super) fn add(&mut self, run: Run, handler: AsyncHandler) {
        self.batch.push((run, handler));
    }

    /// Wakes a launcher for each thread that there is work for. A launcher could not do that for another one: a runtime
    /// keeps what is woken on the thread that woke it, behind the run that blocks it.
    pub(super) fn flush(&mut self) {
        let batch = std::mem::take(&mut self.batch);
        if !batch.is_empty()
            && let Some(pad) = self.pad.upgrade()
        {
            let helpful = batch.len().min(self.threads);
            pad.waiting().extend(batch);
            (0..helpful).for_each(|_| pad.came.notify_one());
            self.look.notify_one();
        }
    }
}

impl Pad {
    /// Launches what comes, beside the other launchers.
    async fn serve(&self) {
        loop {
            self.came.notified().await;
            self.launch_all().await;
        }
    }

    /// Launches what waits.
    async fn launch_all(&self) {
        let mut launched = 0_u32;
        while let Some(launch) = self.next() {
            if launched == 0 && !self.waiting().is_empty() {
                // A run that gives its thread away with `block_in_place` keeps this launcher, not the thread.
                self.came.notify_one();
            }
            launched += 1;
            self.launched.fetch_add(1, Ordering::Relaxed);
            let has_ended = catch_unwind(AssertUnwindSafe(|| self.launch(launch)));
            // Else what was made a future last would wait on this thread behind the next run.
            if !has_ended.unwrap_or(true) || launched.is_multiple_of(AT_A_STRETCH) {
                step_aside().await;
            }
        }
    }

    /// Begins a run here; whether it has ended. Only what has to wait for something becomes a future of its own: for the
    /// many that never wait that would cost more than they do, above all the other threads that the runtime wakes for each.
    fn launch(&self, (run, handler): Launch) -> bool {
        let span = run.span();
        let mut execution = Box::pin(execute(run, handler).instrument(span));
        let has_ended = execution.as_mut().now_or_never().is_some();
        if !has_ended {
            self.runs.spawn(ServiceKind::TaskRun, execution);
        }
        has_ended
    }

    /// How many runs have been launched, if more of them wait.
    fn launched_while_waiting(&self) -> Option<u64> {
        let is_waiting = !self.waiting().is_empty();
        is_waiting.then(|| self.launched.load(Ordering::Relaxed))
    }

    fn next(&self) -> Option<Launch> {
        self.waiting().pop_front()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Launch>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes one more launcher when runs wait and none is launched. A runtime may keep a launcher that was woken on a thread
/// which another run blocks, and tell no other thread of it; what is made from outside is offered to all threads.
async fn look_after(pad: Weak<Pad>, came: Arc<Notify>, home: Handle, clock: Clock) -> Result<()> {
    loop {
        came.notified().await;
        while let Some(before) = pad.upgrade().and_then(|pad| pad.launched_while_waiting()) {
            clock.sleep(LOOK_EVERY).await;
            let Some(pad) = pad.upgrade().filter(|pad| pad.launched_while_waiting() == Some(before)) else {
                continue;
            };
            let _home = home.enter();
            let helper = Arc::clone(&pad);
            pad.runs.spawn(ServiceKind::TaskRun, async move {
                helper.launch_all().await;
                Ok(())
            });
        }
    }
}

/// Lets other futures have this thread. Unlike after tokio's own `yield_now`, any thread may go on.
async fn step_aside() {
    let mut has_stepped = false;
    poll_fn(|context| {
        if has_stepped {
            return Poll::Ready(());
        }
        has_stepped = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn execute(mut run: Run, handler: AsyncHandler) -> Result<()> {
    if !run.begin() {
        run.end(Outcome::NotStarted);
        return Ok(());
    }
    let (context, arguments) = (run.context.clone(), run.start.call.arguments.clone());
    let call = AssertUnwindSafe(async move { handler(context, arguments).await }).catch_unwind();
    let ended = tokio::select! {
        biased;
        () = run.context.aborted() => Outcome::Aborted,
        called = call => outcome(called),
    };
    run.end(ended);
    Ok(())
}
