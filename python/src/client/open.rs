//! A connection, and the runtime that drives it.

use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use cardoon::{
    App, Code, Error, QueueName, Result, ResultRecord, Settings, Sources, TaskId, TaskState, TypedSignature,
};
use cardoon_runtime::{Clock, FineInstant, Home};
use pyo3::prelude::*;
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::errors::raise;

/// How often a program that waits looks for signals.
const SIGNALS_EVERY: Duration = Duration::from_millis(100);

/// How long closing waits for what is under way.
const CLOSING: Duration = Duration::from_secs(5);

/// How long the answer of a server is looked for before the thread sleeps until it comes: as long as one nearby takes. To
/// fall asleep and be woken takes nearly as long again.
const LOOK_FOR: Duration = Duration::from_micros(100);

/// An open connection. Whoever calls drives it, on his own thread: waking another one would take longer than the answer.
pub(super) struct Open {
    app: App,
    runtime: Runtime,
    clock: Clock,
    process: u32,
    look_for: Duration,
    /// Threads that send now. Only one of them can drive the connection, so who looks beside it is in its way.
    senders: AtomicUsize,
}

impl Open {
    pub(super) fn connect(broker: Option<&str>, results: Option<&str>, queue: Option<&str>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(Code::Internal, "cannot start a runtime").source(error))?;
        let mut builder = App::builder().settings(Settings::load(&Sources::of_process(Vec::new()))?);
        if let Some(url) = broker {
            builder = builder.broker(url);
        }
        if let Some(url) = results {
            builder = builder.results(url);
        }
        if let Some(queue) = queue {
            let queue = QueueName::new(queue).map_err(|error| {
                Error::new(Code::BadName, format!("the default queue cannot be used: {error}"))
            })?;
            builder = builder.queue(queue);
        }
        let app = Home::lend(runtime.handle(), || runtime.block_on(builder.open()))?;
        let look_for = look_for(&app.stores().location);
        Ok(Self {
            app,
            runtime,
            clock: Clock::real(),
            process: std::process::id(),
            look_for,
            senders: AtomicUsize::new(0),
        })
    }

    /// Whether it was opened by this process.
    pub(super) fn is_ours(&self) -> bool {
        self.process == std::process::id()
    }

    pub(super) fn location(&self) -> String {
        self.app.stores().location.clone()
    }

    pub(super) fn send(&self, signature: TypedSignature<Value>) -> Result<TaskId> {
        let alone = self.senders.fetch_add(1, Ordering::Relaxed) == 0;
        let look_for = if alone { self.look_for } else { Duration::ZERO };
        let sent = self.runtime.block_on(soon(self.app.send(signature), look_for));
        self.senders.fetch_sub(1, Ordering::Relaxed);
        sent.map(|handle| handle.id().clone())
    }

    pub(super) fn send_many(&self, signatures: Vec<TypedSignature<Value>>) -> Vec<Result<TaskId>> {
        let answers = self.runtime.block_on(self.app.send_each(signatures));
        answers.into_iter().map(|answer| answer.map(|handle| handle.id().clone())).collect()
    }

    pub(super) fn records(&self, ids: &[TaskId]) -> Result<Vec<Option<ResultRecord>>> {
        self.runtime.block_on(self.app.stores().results.get(ids))
    }

    pub(super) fn wait(
        &self,
        py: Python<'_>,
        id: &TaskId,
        limit: Option<Duration>,
    ) -> PyResult<Option<ResultRecord>> {
        let results = &self.app.stores().results;
        let mut waiting = pin!(results.wait(id, limit));
        loop {
            let turn = async {
                tokio::select! {
                    biased;
                    record = &mut waiting => Some(record),
                    () = self.clock.sleep(SIGNALS_EVERY) => None,
                }
            };
            match py.detach(|| self.runtime.block_on(turn)) {
                Some(record) => return record.map_err(|error| raise(&error)),
                None => py.check_signals()?,
            }
        }
    }

    pub(super) fn state(&self, id: &TaskId) -> Result<TaskState> {
        match self.runtime.block_on(self.app.handle::<Value>(id.clone()).state()) {
            Err(error) if error.code() == Code::UnknownId => Ok(TaskState::Pending),
            state => state,
        }
    }

    pub(super) fn progress(&self, id: &TaskId) -> Result<Option<String>> {
        let reported = self.runtime.block_on(self.app.stores().results.progress(id))?;
        Ok(reported.map(|reported| reported.progress.message))
    }

    pub(super) fn revoke(&self, id: &TaskId) -> Result<()> {
        self.runtime.block_on(self.app.revoke(id)).map(drop)
    }

    pub(super) fn forget(&self, id: &TaskId) -> Result<bool> {
        let forgotten = self.runtime.block_on(self.app.stores().results.forget(std::slice::from_ref(id)))?;
        Ok(forgotten > 0)
    }

    pub(super) fn close(&self) -> Result<()> {
        self.runtime.block_on(self.app.close(CLOSING))
    }
}

/// Who looks takes a processor, which what he looks for may need: another thread of this process, or all there is.
fn look_for(location: &str) -> Duration {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    if location.starts_with("sqlite:") || processors == 1 { Duration::ZERO } else { LOOK_FOR }
}

/// Drives `future`, which is expected to be through in `look_for`.
async fn soon<T>(future: impl Future<Output = T>, look_for: Duration) -> T {
    let mut future = pin!(future);
    let asleep_at = FineInstant::now().plus(look_for);
    loop {
        if let Poll::Ready(done) = poll_once(future.as_mut()).await {
            return done;
        }
        if FineInstant::now() >= asleep_at {
            return future.await;
        }
        // The runtime looks for what has come in, and does not wait for it.
        tokio::task::yield_now().await;
    }
}

async fn poll_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}
