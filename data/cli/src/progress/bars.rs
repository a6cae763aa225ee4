use std::io::IsTerminal as _;

use cardoon_engine::{Progress, Stage};
use indicatif::{BinaryBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::text;

/// A bar of bytes, and below it a line for each stage, on standard error.
pub(super) struct Bars {
    all: MultiProgress,
    bytes: ProgressBar,
    stages: Vec<ProgressBar>,
}

const BYTES: &str = "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {msg}";
/// Where it is not known how many bytes there are.
const SOME_BYTES: &str = "{bytes} {bytes_per_sec} {msg}";
const STAGE: &str = "  {bar:20} {msg}";
/// A stage that has no tasks.
const STEP: &str = "  {msg}";

impl Bars {
    /// Nothing if standard error is no terminal.
    pub(super) fn new() -> Option<Self> {
        if !std::io::stderr().is_terminal() {
            return None;
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bytes = all.add(styled(ProgressBar::no_length(), SOME_BYTES));
        Some(Self { all, bytes, stages: Vec::new() })
    }

    pub(super) fn draw(&mut self, progress: &Progress) {
        self.draw_bytes(progress);
        self.stages
            .drain(progress.stages.len().min(self.stages.len())..)
            .for_each(|bar| bar.finish_and_clear());
        for (place, stage) in progress.stages.iter().enumerate() {
            if place == self.stages.len() {
                self.stages.push(self.all.add(styled(ProgressBar::no_length(), STEP)));
            }
            draw_stage(&self.stages[place], stage);
        }
    }

    fn draw_bytes(&self, progress: &Progress) {
        if let Some(all) = progress.all_bytes.filter(|all| *all > 0 && self.bytes.length() != Some(*all)) {
            self.bytes.set_length(all);
            styled(self.bytes.clone(), BYTES);
        }
        self.bytes.set_position(progress.bytes);
        let left = progress.time_left(self.bytes.elapsed()).map(text::left);
        let spilled =
            (progress.spilled_bytes > 0).then(|| format!("{} spilled", BinaryBytes(progress.spilled_bytes)));
        let words: Vec<String> = left.into_iter().chain(spilled).collect();
        self.bytes.set_message(words.join(", "));
    }

    pub(super) fn clear(&self) {
        self.stages.iter().chain([&self.bytes]).for_each(ProgressBar::finish_and_clear);
    }
}

fn draw_stage(bar: &ProgressBar, stage: &Stage) {
    if stage.tasks > 0 && bar.length() != Some(stage.tasks) {
        bar.set_length(stage.tasks);
        styled(bar.clone(), STAGE);
    }
    bar.set_position(stage.tasks_done);
    bar.set_message(text::stage(stage));
}

/// A template that cannot be read leaves the usual one.
fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
