//! How far a query has come, on standard error: a bar on a terminal, and one line at the end.

use std::io::IsTerminal as _;
use std::time::Duration;

use cardoon_engine::{Engine, Progress};
use cardoon_runtime::Clock;
use indicatif::{BinaryBytes, ProgressBar, ProgressStyle};

use crate::talk;

/// How often the bar is drawn.
const STEP: Duration = Duration::from_millis(100);

/// Waits for a query that `engine` carries out, shows how far it has come, and at last what it took.
pub(crate) async fn follow<T, E>(engine: &Engine, query: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let clock = Clock::real();
    let begin = clock.boot();
    let bar = bar();
    let mut steps = tokio::time::interval(STEP);
    let mut query = std::pin::pin!(query);
    let ended = loop {
        tokio::select! {
            ended = &mut query => break ended,
            _ = steps.tick() => draw(&bar, engine.progress()),
        }
    };
    bar.finish_and_clear();
    if ended.is_ok() {
        last_line(engine.progress(), clock.boot().since(begin));
    }
    ended
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}  {msg}";
    let bar = ProgressBar::no_length();
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}

fn draw(bar: &ProgressBar, progress: Progress) {
    if let Some(all) = progress.all_bytes.filter(|all| *all > 0) {
        bar.set_length(all);
    }
    bar.set_position(progress.bytes);
    if progress.spilled_bytes > 0 {
        bar.set_message(format!("{} spilled", BinaryBytes(progress.spilled_bytes)));
    }
}

fn last_line(progress: Progress, took: Duration) {
    let Progress { rows, bytes, bad_rows, spilled_bytes, restarts, .. } = progress;
    let (seconds, bytes, spilled) = (took.as_secs_f64(), BinaryBytes(bytes), BinaryBytes(spilled_bytes));
    talk::say(
        format!(
            "{seconds:.3} s: {rows} rows and {bytes} of CSV read, {spilled} spilled, {restarts} restarts"
        ),
        format!("{seconds:.3} 秒：读取 CSV {rows} 行、{bytes}，溢出 {spilled}，重来 {restarts} 次"),
    );
    if bad_rows > 0 {
        talk::say(
            format!("{bad_rows} rows that cannot be read were left out"),
            format!("跳过了 {bad_rows} 个无法读取的行"),
        );
    }
}
