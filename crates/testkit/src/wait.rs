use std::time::Duration;

use cardoon_runtime::Clock;

/// How often a condition is looked at that nothing announces.
const STEP: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, at most `deadline`. Panics with `what` if it never does.
pub async fn eventually(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let clock = Clock::real();
    let end = clock.boot().plus(deadline);
    while !condition().await {
        assert!(clock.boot() < end, "{what}: not within {deadline:?}");
        clock.sleep(STEP).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_condition_is_awaited_until_it_holds() {
        let mut left = 3;
        let holds = async || {
            left -= 1;
            left == 0
        };
        eventually("the countdown", Duration::from_secs(20), holds).await;
    }

    #[tokio::test]
    #[should_panic(expected = "the impossible: not within")]
    async fn what_never_holds_fails_the_test() {
        eventually("the impossible", Duration::from_millis(20), async || false).await;
    }
}
