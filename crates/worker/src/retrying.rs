//! Store operations that are repeated until the store answers.

use std::future::Future;
use std::time::Duration;

use cardoon_errors::{Error, Kind, Result};
use cardoon_runtime::Clock;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The pauses between repetitions: 50 ms, doubled up to 2 s.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST_PAUSE)
    }
}

impl Backoff {
    pub(crate) async fn pause(&mut self, clock: &Clock) {
        let pause = self.next();
        clock.sleep(pause).await;
    }

    /// How long the next pause is.
    pub(crate) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

/// Whether an error passes by itself.
pub(crate) fn passes(error: &Error) -> bool {
    matches!(error.kind(), Kind::Unavailable | Kind::Timeout)
}

/// Gives `items` to `operation` until each has an answer that stays.
///
/// Repeating is safe for everything a worker stores: each is idempotent by lease, run or task id and attempt.
pub(crate) async fn persist<T, A, F>(
    clock: &Clock,
    mut items: Vec<T>,
    operation: impl Fn(Vec<T>) -> F,
) -> Vec<Result<A>>
where
    T: Clone,
    F: Future<Output = Vec<Result<A>>>,
{
    let mut answers: Vec<Option<Result<A>>> = items.iter().map(|_| None).collect();
    let mut places: Vec<usize> = (0..items.len()).collect();
    let mut backoff = Backoff::default();
    while !items.is_empty() {
        let mut open = Vec::new();
        for (place, answer) in places.iter().copied().zip(operation(items.clone()).await) {
            match answer {
                Err(error) if passes(&error) => open.push((place, error)),
                answer => answers[place] = Some(answer),
            }
        }
        let Some((_, error)) = open.first() else { break };
        tracing::warn!(%error, waiting = open.len(), "the store does not answer, trying again");
        let still = |place: &usize| open.iter().any(|(open, _)| open == place);
        let mut kept = places.iter().map(still);
        items.retain(|_| kept.next().unwrap_or(false));
        places = open.into_iter().map(|(place, _)| place).collect();
        backoff.pause(clock).await;
    }
    answers.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cardoon_errors::Code;
    use std::sync::Mutex;

    #[tokio::test]
    async fn each_item_is_repeated_until_its_own_answer_stays() {
        let calls = Mutex::new(Vec::new());
        let operation = |items: Vec<u32>| {
            let first = calls.lock().unwrap().is_empty();
            calls.lock().unwrap().push(items.clone());
            std::future::ready(items.into_iter().map(move |n| answer(n, first)).collect())
        };
        let items = vec![1, 2, 3];
        let answers = persist(&Clock::real(), items, operation).await;
        assert_eq!(answers[0].as_ref().unwrap(), &1);
        assert_eq!(answers[1].as_ref().unwrap(), &2);
        assert_eq!(answers[2].as_ref().unwrap_err().code(), Code::Corrupt);
        assert_eq!(calls.into_inner().unwrap()[1], [2]);
    }

    fn answer(n: u32, first: bool) -> Result<u32> {
        match n {
            2 if first => Err(Error::new(Code::DiskFull, "the disk is full")),
            3 => Err(Error::new(Code::Corrupt, "damaged")),
            n => Ok(n),
        }
    }
}
