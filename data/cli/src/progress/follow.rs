use std::time::Duration;

use cardoon_engine::Engine;
use cardoon_runtime::Clock;

use super::bars::Bars;
use super::text;
use crate::talk;

/// How often bars are drawn.
const STEP: Duration = Duration::from_millis(100);

/// Waits for a query that `engine` carries out, shows on standard error how far it has come, and at last what it took.
pub(crate) async fn follow<T, E>(engine: &Engine, query: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let clock = Clock::real();
    let begin = clock.boot();
    let mut bars = Bars::new();
    let mut steps = tokio::time::interval(STEP);
    let mut query = std::pin::pin!(query);
    let ended = loop {
        tokio::select! {
            ended = &mut query => break ended,
            _ = steps.tick() => bars.draw(&engine.progress()),
        }
    };
    bars.clear();
    if ended.is_ok() {
        let progress = engine.progress();
        let [english, chinese] = text::took(&progress, clock.boot().since(begin));
        talk::say(english, chinese);
        left_out(progress.bad_rows);
    }
    ended
}

fn left_out(bad_rows: u64) {
    if bad_rows > 0 {
        talk::say(
            format!("{bad_rows} rows that cannot be read were left out"),
            format!("跳过了 {bad_rows} 个无法读取的行"),
        );
    }
}
