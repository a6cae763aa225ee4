//! Passes on what children print, on a thread of its own: a slow terminal must not hold up the worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};

use cardoon_errors::{Code, Error, Result};
use cardoon_runtime::{ServiceKind, Supervisor};

use crate::owner::{Label, Owner, Printed};

/// Lines that may wait. With more of them, children that print have to wait.
const MOST_LINES: usize = 1024;

/// The way to the thread.
#[derive(Clone)]
pub(crate) struct Printer {
    lines: Sender<Printed>,
    waiting: Arc<AtomicUsize>,
}

/// Starts the thread. It ends with the last printer.
pub(crate) fn start(owner: Arc<dyn Owner>, services: &Supervisor) -> Result<Printer> {
    let (lines, queue) = mpsc::channel::<Printed>();
    let waiting = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&waiting);
    let print = move |_| {
        for line in queue {
            owner.print(&line);
            left.fetch_sub(1, Ordering::Relaxed);
        }
        Ok(())
    };
    services
        .spawn_thread(ServiceKind::Children, print)
        .map_err(|error| Error::new(Code::Internal, "cannot start a thread").source(error))?;
    Ok(Printer { lines, waiting })
}

impl Printer {
    /// Whether more lines are welcome.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < MOST_LINES
    }

    pub(crate) fn print(&self, pid: u32, label: Option<Label>, line: String) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // The thread lives as long as this.
        let _ = self.lines.send(Printed { pid, label, line });
    }
}
