//! How often a task could not be started, for want of a thread or a process.

use std::collections::HashMap;

use cardoon_core::TaskId;

/// A task that cannot be started is put off until it has been tried this often; then its attempt fails.
const MOST_TRIES: u32 = 3;

/// No more tasks than this are remembered.
const MOST_TASKS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Tries(HashMap<TaskId, u32>);

impl Tries {
    /// It could not be started. Whether it may be tried again.
    pub(super) fn failed(&mut self, id: &TaskId) -> bool {
        if self.0.len() >= MOST_TASKS && !self.0.contains_key(id) {
            self.0.clear();
        }
        let tries = self.0.entry(id.clone()).or_default();
        *tries += 1;
        let again = *tries < MOST_TRIES;
        if !again {
            self.0.remove(id);
        }
        again
    }

    /// It was started.
    pub(super) fn forget(&mut self, id: &TaskId) {
        if !self.0.is_empty() {
            self.0.remove(id);
        }
    }
}
