use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Lets the requests of this process that are about the same thing go one after the other. Only things that a request waits
/// for or works on are remembered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Turns(Arc<Mutex<HashMap<String, Lock>>>);

/// A place in the line for one thing; the others wait until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    name: String,
    lock: Lock,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until nobody else has the turn of `name`.
    pub(crate) async fn wait(&self, name: &str) -> Turn {
        let lock = Arc::clone(self.locks().entry(name.to_owned()).or_default());
        let mut turn = Turn { turns: self.clone(), name: name.to_owned(), lock, held: None };
        turn.held = Some(Arc::clone(&turn.lock).lock_owned().await);
        turn
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<String, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last one in the line, also one that gave up waiting, takes the entry along.
impl Drop for Turn {
    fn drop(&mut self) {
        self.held = None;
        let mut locks = self.turns.locks();
        let of_line_and_self = 2;
        if Arc::strong_count(&self.lock) == of_line_and_self {
            locks.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_goes_after_the_other_and_other_names_go_beside() {
        let turns = Turns::default();
        let first = turns.wait("a").await;
        turns.wait("b").await;
        let mut second = Box::pin(turns.wait("a"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert!(second.now_or_never().is_some());
    }

    #[tokio::test]
    async fn nothing_is_left_of_those_who_had_their_turn_or_gave_up() {
        let turns = Turns::default();
        let first = turns.wait("a").await;
        let mut second = Box::pin(turns.wait("a"));
        assert!((&mut second).now_or_never().is_none());
        drop(first);
        assert_eq!(turns.locks().len(), 1);
        drop(second);
        assert!(turns.locks().is_empty());
    }
}
