use std::sync::Mutex;

use cardoon_errors::{Applied, Code, Error, Result};
use tokio::sync::watch;

/// Faults that a test switches on in a memory broker.
#[derive(Debug)]
pub struct Faults {
    failing: Mutex<Failing>,
    stalled: watch::Sender<bool>,
}

#[derive(Debug)]
struct Failing {
    left: usize,
    answer: Applied,
    /// Whether the next failure of unknown effect takes effect: every other one does.
    takes_effect: bool,
}

/// What an operation has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    Normal,
    /// Fail without effect.
    Fail(Applied),
    /// Take effect, then fail.
    FailAfter(Applied),
}

impl Default for Faults {
    fn default() -> Self {
        let failing = Failing { left: 0, answer: Applied::No, takes_effect: true };
        Self { failing: Mutex::new(failing), stalled: watch::channel(false).0 }
    }
}

impl Faults {
    /// The next `count` publishes, settles and revokes fail as a whole and answer `answer`. What answers "unknown" took
    /// effect the first, third, fifth time, and had none in between.
    pub fn fail_next(&self, count: usize, answer: Applied) {
        *self.failing() = Failing { left: count, answer, takes_effect: true };
    }

    /// Nothing is answered until [`Self::resume`].
    pub fn stall(&self) {
        self.stalled.send_replace(true);
    }

    pub fn resume(&self) {
        self.stalled.send_replace(false);
    }

    pub(super) fn is_stalled(&self) -> bool {
        *self.stalled.borrow()
    }

    /// Waits until the store answers.
    pub(super) async fn answering(&self) {
        let mut stalled = self.stalled.subscribe();
        // The sender lives as long as `self`, so this cannot fail.
        let _ = stalled.wait_for(|stalled| !stalled).await;
    }

    pub(super) fn course(&self) -> Course {
        let mut failing = self.failing();
        if failing.left == 0 {
            return Course::Normal;
        }
        failing.left -= 1;
        let answer = failing.answer;
        let takes_effect = match answer {
            Applied::No => false,
            Applied::Yes => true,
            Applied::Unknown => failing.takes_effect,
        };
        failing.takes_effect = !takes_effect;
        if takes_effect { Course::FailAfter(answer) } else { Course::Fail(answer) }
    }

    fn failing(&self) -> std::sync::MutexGuard<'_, Failing> {
        self.failing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Course {
    /// Follows this course with an operation that answers `items` items.
    pub(super) fn follow<T>(
        self,
        items: usize,
        operation: impl FnOnce() -> Vec<Result<T>>,
    ) -> Vec<Result<T>> {
        let fail = |answer| (0..items).map(|_| Err(failure(answer))).collect();
        match self {
            Self::Normal => operation(),
            Self::Fail(answer) => fail(answer),
            Self::FailAfter(answer) => {
                operation();
                fail(answer)
            }
        }
    }
}

fn failure(answer: Applied) -> Error {
    Error::new(Code::NoAnswer, "the memory broker was told to fail").applied(answer)
}
