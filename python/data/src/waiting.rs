//! A program that waits for a query: without the interpreter's lock, and with an ear for Ctrl-C.

use std::time::Duration;

use cardoon_errors::{Code, Error, Result};
use pyo3::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::errors::raise;

/// How often a program that waits looks for signals.
const SIGNALS_EVERY: Duration = Duration::from_millis(500);

/// What `query` answers. A signal whose handler raises ends it.
pub(crate) fn wait<T: Send + 'static>(
    py: Python<'_>,
    runtime: &Runtime,
    query: impl AsyncFnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    // The query ends when this is dropped, with whatever leaves the function.
    let (_wanted, unwanted) = oneshot::channel::<()>();
    let handle = runtime.handle().clone();
    // On a thread of its own the query need not be one that threads can pass on.
    let mut running = runtime.spawn_blocking(move || {
        handle.block_on(async {
            tokio::select! {
                answer = query() => answer,
                _ = unwanted => Err(Error::new(Code::QueryFailed, "the query was given up")),
            }
        })
    });
    loop {
        let turn = py.detach(|| runtime.block_on(async { timeout(SIGNALS_EVERY, &mut running).await }));
        match turn {
            Ok(ended) => {
                return ended.unwrap_or_else(|lost| Err(broken(lost))).map_err(|error| raise(&error));
            }
            Err(_) => py.check_signals()?,
        }
    }
}

fn broken(lost: tokio::task::JoinError) -> Error {
    Error::new(Code::Internal, "the query broke down").source(lost)
}
