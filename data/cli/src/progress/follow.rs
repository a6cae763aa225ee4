use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cardoon_engine::Engine;
use cardoon_runtime::Clock;

use super::bars::Bars;
use super::text;
use crate::talk;

/// How often bars are drawn.
const STEP: Duration = Duration::from_millis(100);

/// Waits for a query that `engine` carries out, shows on standard error how far it has come, and at last what it took.
/// `query` is given what is shown, and ends it before it writes to the same terminal itself.
pub(crate) async fn follow<T, E>(
    engine: &Arc<Engine>,
    query: impl AsyncFnOnce(&Shown) -> Result<T, E>,
) -> Result<T, E> {
    let clock = Clock::real();
    let begin = clock.boot();
    let shown = Shown(Mutex::new(Drawing::begin(engine.clone())));
    let ended = query(&shown).await;
    shown.end();
    if ended.is_ok() {
        let progress = engine.progress();
        let [english, chinese] = text::took(&progress, clock.boot().since(begin));
        talk::say(english, chinese);
        left_out(progress.bad_rows);
    }
    ended
}

/// What is shown while a query runs.
pub(crate) struct Shown(Mutex<Drawing>);

impl Shown {
    /// Clears it. A second time does nothing.
    pub(crate) fn end(&self) {
        let mut drawing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(std::mem::replace(&mut *drawing, Drawing(None)));
    }
}

fn left_out(bad_rows: u64) {
    if bad_rows > 0 {
        talk::say(
            format!("{bad_rows} rows that cannot be read were left out"),
            format!("跳过了 {bad_rows} 个无法读取的行"),
        );
    }
}

/// A thread that draws, since a query leaves its own no time. Dropping it clears what it has drawn.
struct Drawing(Option<(Sender<()>, JoinHandle<()>)>);

impl Drawing {
    /// On a standard error that is no terminal there is nothing to draw; nor is a query lost for want of a thread.
    fn begin(engine: Arc<Engine>) -> Self {
        let Some(bars) = Bars::new() else { return Self(None) };
        let (end, ended) = channel();
        let thread = thread::Builder::new().name("cardoon-progress".to_owned());
        Self(thread.spawn(move || draw(bars, &engine, &ended)).ok().map(|thread| (end, thread)))
    }
}

fn draw(mut bars: Bars, engine: &Engine, ended: &Receiver<()>) {
    while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        bars.draw(&engine.progress());
    }
    bars.clear();
}

impl Drop for Drawing {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.0.take() {
            drop(end);
            // A bar that broke off is no reason to break off the query.
            let _ = thread.join();
        }
    }
}
