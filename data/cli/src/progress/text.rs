//! Progress in words.

use std::time::Duration;

use cardoon_engine::{Progress, Stage};
use indicatif::{BinaryBytes, HumanCount};

/// What a query has taken, in English and in Chinese.
pub(crate) fn took(progress: &Progress, time: Duration) -> [String; 2] {
    let Progress { rows, bytes, spilled_bytes, restarts, retries, .. } = progress;
    let (seconds, bytes, spilled) = (time.as_secs_f64(), BinaryBytes(*bytes), BinaryBytes(*spilled_bytes));
    [
        format!(
            "{seconds:.3} s: {rows} rows and {bytes} read, {spilled} spilled, {restarts} restarts, {retries} retries"
        ),
        format!(
            "{seconds:.3} 秒：读取 {rows} 行、{bytes}，溢出 {spilled}，重来 {restarts} 次，重试 {retries} 次"
        ),
    ]
}

/// How far each stage is, and how long files will still be read.
pub(crate) fn stages(progress: &Progress, so_far: Duration) -> String {
    let stages: Vec<String> = progress.stages.iter().map(stage).collect();
    let text = if stages.is_empty() { "planned".to_owned() } else { stages.join(", ") };
    match progress.time_left(so_far) {
        Some(time) => format!("{text}; {}", left(time)),
        None => text,
    }
}

pub(super) fn left(time: Duration) -> String {
    format!("about {} s left", time.as_secs_f64().ceil())
}

/// Its name, its rows, and on a cluster its tasks.
pub(super) fn stage(Stage { name, rows, tasks_done, tasks }: &Stage) -> String {
    let tasks = if *tasks > 0 { format!(" ({tasks_done} of {tasks} tasks)") } else { String::new() };
    format!("{name} {} rows{tasks}", HumanCount(*rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_told_with_the_time_left() {
        let read = Stage { name: "read".into(), rows: 12_345, ..Stage::default() };
        let group = Stage { name: "group".into(), rows: 7, tasks_done: 1, tasks: 4 };
        let progress =
            Progress { bytes: 10, all_bytes: Some(40), stages: vec![read, group], ..Progress::default() };
        assert_eq!(
            stages(&progress, Duration::from_secs(3)),
            "read 12,345 rows, group 7 rows (1 of 4 tasks); about 9 s left"
        );
        assert_eq!(stages(&Progress::default(), Duration::ZERO), "planned");
    }
}
