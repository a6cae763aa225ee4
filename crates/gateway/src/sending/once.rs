use std::sync::Arc;
use std::time::Duration;

use cardoon_coord::Coordinator;
use cardoon_core::TaskId;
use cardoon_errors::{Applied, Result};

use super::keys::KEPT;
use super::reservation::{Reservation, State};
use super::turns::Turn;

/// How long the note is kept that nothing was sent under a key: the store cannot remove it on a condition.
const FREED: Duration = Duration::from_secs(1);

/// The place of a request under its key. While it lives, other requests of this process with the same key wait.
pub(crate) struct Once {
    pub(super) coord: Arc<dyn Coordinator>,
    pub(super) key: String,
    pub(super) version: u64,
    pub(super) reservation: Reservation,
    pub(super) is_repeat: bool,
    pub(super) _turn: Turn,
}

impl Once {
    pub(crate) fn ids(&self) -> &[TaskId] {
        &self.reservation.ids
    }

    /// Whether somebody was here before, and may have sent the tasks.
    pub(crate) fn is_repeat(&self) -> bool {
        self.is_repeat
    }

    /// Whether the tasks are known to be sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.reservation.state == State::Sent
    }

    /// Notes what became of the tasks. If that fails, a repeat sends them again, under the same ids.
    pub(crate) async fn settle<T>(&mut self, answers: &[Result<T>]) {
        let state = self.outcome(answers);
        let keep = if state == State::Refused { FREED } else { KEPT };
        let noted = match self.reservation.with(state).written() {
            Ok(value) => self.coord.compare_and_set(&self.key, Some(self.version), value, Some(keep)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            tracing::debug!(%error, "what became of a request was not noted under its key");
        }
    }

    fn outcome<T>(&self, answers: &[Result<T>]) -> State {
        let is_refused =
            |answer: &Result<T>| answer.as_ref().is_err_and(|error| error.was_applied() == Applied::No);
        if answers.iter().all(Result::is_ok) {
            State::Sent
        } else if !self.is_repeat && answers.iter().all(is_refused) {
            State::Refused
        } else {
            State::Open
        }
    }
}
